"""Settings: from a file, the environment and arguments, each refused by name where it makes no sense."""

import pytest

from herzum_approval import config


def test_the_environment_wins_over_the_file_and_arguments_over_both(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('port = 1000\nworkers = 3\nserver_title = "File"\n')
    environ = {"HERZUM_APPROVAL_CONFIG_FILE": str(file), "HERZUM_APPROVAL_PORT": "2000", "OTHER": "x"}
    settings = config.load(environ, server_title="Argument")
    assert (settings.port, settings.workers, settings.server_title) == (2000, 3, "Argument")
    assert settings.context_path == "/jira"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), (" TRUE ", True), ("yes", True), ("0", False), ("no", False), ("", False)],
)
def test_truth_is_spelt_in_several_ways(text, value):
    assert config.load({"HERZUM_APPROVAL_DEMONSTRATION": text}).demonstration is value


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"HERZUM_APPROVAL_PORT": "many"}, "port"),
        ({"HERZUM_APPROVAL_DEMONSTRATION": "maybe"}, "demonstration"),
        ({"HERZUM_APPROVAL_BCRYPT_COST": "3"}, "bcrypt_cost"),
        ({"HERZUM_APPROVAL_BCRYPT_COST": "11"}, "bcrypt_cost"),
        ({"HERZUM_APPROVAL_CREDENTIAL_CACHE_SECONDS": "61"}, "credential_cache_seconds"),
        ({"HERZUM_APPROVAL_DATABASE_SYNCHRONOUS": "OFF"}, "database_synchronous"),
        ({"HERZUM_APPROVAL_FAILED_LOGINS_ALLOWED": "0"}, "failed_logins_allowed"),
        ({"HERZUM_APPROVAL_SESSION_IDLE_SECONDS": "0"}, "session_idle_seconds"),
        ({"HERZUM_APPROVAL_SESSION_ABSOLUTE_SECONDS": "-1"}, "session_absolute_seconds"),
        ({"HERZUM_APPROVAL_MAX_BODY_BYTES": "0"}, "max_body_bytes"),
        ({"HERZUM_APPROVAL_MAX_JSON_DEPTH": "0"}, "max_json_depth"),
        ({"HERZUM_APPROVAL_APPROVAL_PATH_HTTP_ANSWER": "99"}, "approval_path_http_answer"),
        ({"HERZUM_APPROVAL_APPROVAL_PATH_HTTP_TIMEOUT_SECONDS": "0"}, "approval_path_http_timeout_seconds"),
        ({"HERZUM_APPROVAL_APPROVAL_PATH_HTTP_MAX_BYTES": "-1"}, "approval_path_http_timeout_seconds and"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(environ, named):
    with pytest.raises(ValueError, match=named):
        config.load(environ)


def test_an_unknown_setting_in_a_file_is_refused(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("prot = 2990\n")
    with pytest.raises(ValueError, match="prot"):
        config.load({}, config_file=str(file))


def test_cheap_hashes_are_for_the_demonstration():
    assert config.load({}, bcrypt_cost=4, demonstration=True).bcrypt_cost == 4


def test_settings_are_in_force_within_their_block_only():
    outer, inner = config.Settings(port=1), config.Settings(port=2)
    with config.active(outer):
        with config.active(inner):
            assert config.current() is inner
        assert config.current() is outer
