// Lays what is given over a document, as herzum_approval/examples.py does: objects member by member,
// entries of lists by their identity; whatever else is given takes the place of what was there.
function merged(document, given) {
    if (Array.isArray(given)) {
        return Array.isArray(document) && given.every(identity) ? mergedLists(document, given) : given;
    }
    if (given === null || typeof given !== "object") { return given; }
    const names = Object.keys(given);
    if (names.length === 1 && names[0] === REPLACE) { return given[REPLACE]; }
    const isObject = document !== null && typeof document === "object" && !Array.isArray(document);
    const result = Object.assign({}, isObject ? document : {});
    names.forEach(function (name) { result[name] = merged(result[name], given[name]); });
    return result;
}

function mergedLists(document, given) {
    const result = document.slice();
    given.forEach(function (entry) {
        const name = identity(entry);
        const found = result.findIndex(function (other) { return other[name] === entry[name]; });
        const place = found < 0 ? result.length : found;
        result[place] = merged(result[place], entry);
    });
    return result;
}

function identity(entry) {
    const isObject = entry !== null && typeof entry === "object" && !Array.isArray(entry);
    return isObject && IDENTITIES.find(function (name) { return entry[name] != null; });
}
