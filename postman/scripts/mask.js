// Shows of each volatile member its JSON type alone. VOLATILE holds their paths.
function masked(value, path) {
    if (path.length === 0) { return "any " + (value === null ? "null" : typeof value); }
    if (Array.isArray(value)) { return value.map(function (entry) { return masked(entry, path.slice(1)); }); }
    if (value === null || typeof value !== "object" || !(path[0] in value)) { return value; }
    return Object.assign({}, value, { [path[0]]: masked(value[path[0]], path.slice(1)) });
}
const stable = (body) => VOLATILE.reduce((result, path) => masked(result, path.split(".")), body);
