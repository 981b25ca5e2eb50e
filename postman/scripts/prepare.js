// Runs before each request: the demonstration site again, with what the request's example gives laid
// over it, and a session where the example wants one. SETUPS holds both by the name of the request.
const site = "http://" + pm.variables.get("hostname");
const setup = SETUPS[pm.info.requestName] || {};

function ask(method, path, body, then) {
    const request = { url: site + path, method: method, header: { "Content-Type": "application/json" } };
    if (body) { request.body = { mode: "raw", raw: JSON.stringify(body) }; }
    pm.sendRequest(request, function (error, answer) {
        if (!error && answer.code < 300) { then(answer); return; }
        // An error thrown here would be lost; a failed test is seen.
        pm.test("prepare the site: " + method + " " + path, function () {
            throw error || new Error(answer.code + " " + answer.text());
        });
    });
}

function signIn() {
    if (!setup.session) { return; }
    const credentials = { username: setup.session, password: setup.session };
    ask("POST", "/rest/auth/1/session", credentials, function () {});
}

function prepare() {
    if (!setup.given) { signIn(); return; }
    ask("GET", "/__emulator/snapshot", null, function (answer) {
        ask("PUT", "/__emulator/snapshot", merged(answer.json(), setup.given), signIn);
    });
}

pm.cookies.jar().clear(site, function () {
    if (pm.variables.get("reset") === "off") { signIn(); return; }
    ask("POST", "/__emulator/reset", null, prepare);
});
