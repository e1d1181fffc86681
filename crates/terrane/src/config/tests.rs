use super::*;

fn sources(file: &str, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Sources {
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut sources = Sources::new(pairs);
    sources.read_text("t.toml", file);
    for (setting, value) in flags {
        sources.flag(setting, Some(value));
    }
    sources
}

fn problems(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let problems = Config::read(sources(file, environment, &[])).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_said_means_a_whole_planet_on_this_machine() {
    let config = Config::read(sources("", &[], &[])).unwrap();
    assert!(config.http.listen.ip().is_loopback());
    assert!(config.metrics_listen.unwrap().ip().is_loopback());
    assert_eq!(config.node.roles, Role::ALL);
    let PlanetConfig { seed, shift, raster_level, day_length_s, .. } = config.planet;
    assert_eq!((seed, shift, raster_level, day_length_s), (None, None, None, 5_400));
    assert_eq!(config.database.url, None);
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let file = "[planet]\nseed = 5\nshift = 4\nname = 'F'\n";
    let environment = [("TERRANE_PLANET_SEED", "6"), ("TERRANE_PLANET_SHIFT", "5"), ("OTHER", "x")];
    let config = Config::read(sources(file, &environment, &[("planet.seed", "7")])).unwrap();
    assert_eq!(
        (config.planet.seed, config.planet.shift, config.planet.name.as_str()),
        (Some(7), Some(5), "F")
    );
}

#[test]
fn all_problems_come_at_once_and_say_where() {
    let file = "colour = 1\n[planet]\nsize = 3\nshift = 12\nseed = 1.5\n[http]\nlisten = 'localhost'\n[htp]\nx = 1\n";
    let problems = problems(file, &[("TERRANE_LOG_FORMAT", "xml"), ("TERRANE_NODE_ROLES", "gateway,disk")]);
    let expected = [
        "t.toml: unknown key \"colour\"; there are the sections planet, economy, node, zone, http, limits, metrics, webhooks, sign_in, accounts, mail, database, privacy, staff, log",
        "t.toml: unknown key \"htp\"; there are the sections planet, economy, node, zone, http, limits, metrics, webhooks, sign_in, accounts, mail, database, privacy, staff, log",
        "t.toml: planet.seed must be a whole number",
        "t.toml: unknown key \"planet.size\"; [planet] has name, seed, shift, raster_level, day_length_s",
        "t.toml: planet.shift must be 0 to 9",
        "the environment variable TERRANE_NODE_ROLES has no role \"disk\"; there are gateway and zone",
        "t.toml: http.listen must be an address and port like 127.0.0.1:7380 or [::]:7380",
        "the environment variable TERRANE_LOG_FORMAT must be auto, human or json",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn hostile_values_are_problems_and_not_panics() {
    for (variable, value) in [
        ("TERRANE_PLANET_SEED", "-1"),
        ("TERRANE_PLANET_SEED", "18446744073709551616"),
        ("TERRANE_PLANET_SHIFT", "NaN"),
        ("TERRANE_PLANET_RASTER_LEVEL", "11"),
        ("TERRANE_PLANET_DAY_LENGTH_S", "0"),
        ("TERRANE_PLANET_NAME", ""),
        ("TERRANE_PLANET_NAME", "a\nb"),
        ("TERRANE_HTTP_LISTEN", "127.0.0.1:99999"),
        ("TERRANE_HTTP_PUBLIC_ORIGINS", "https://a.example/path"),
        ("TERRANE_HTTP_CONNECTIONS_MAX", "0"),
        ("TERRANE_DATABASE_URL", "mysql://root:secret@host/db"),
        ("TERRANE_NODE_DATA", ""),
        ("TERRANE_PRIVACY_MASTER_KEY", "secret"),
        ("TERRANE_PRIVACY_COOLING_OFF_DAYS", "31"),
    ] {
        let problems = problems("", &[(variable, value)]);
        assert_eq!(problems.len(), 1, "{variable}={value}");
        assert!(problems[0].contains(variable), "{problems:?}");
        assert!(!problems[0].contains("secret"), "{problems:?}");
    }
    assert!(problems("[planet", &[])[0].starts_with("t.toml is not TOML"));
}

#[test]
fn a_variable_that_is_no_setting_is_reported_but_no_problem() {
    let sources = sources("", &[("TERRANE_HTTP_LISEN", "x"), ("TERRANE_TEST_POSTGRES", "y")], &[]);
    assert_eq!(sources.unknown_variables(), ["TERRANE_HTTP_LISEN"]);
    assert!(Config::read(sources).is_ok());
}

#[test]
fn the_template_is_the_defaults_and_stays_so_when_uncommented() {
    let defaults = Config::read(sources("", &[], &[])).unwrap();
    let template = template();
    assert_eq!(Config::read(sources(&template, &[], &[])).unwrap(), defaults);
    let uncommented: Vec<&str> = template
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .collect();
    let uncommented = uncommented.join("\n");
    assert!(uncommented.contains("\nseed = 1\n"), "{uncommented}");
    let mut said = Config::read(sources(&uncommented, &[], &[])).unwrap();
    // These differ on purpose: said aloud, they must be those of the planet.
    let spec = (said.planet.seed.take(), said.planet.shift.take(), said.planet.raster_level.take());
    let of_a_new_planet = planet::PlanetSpec::default();
    assert_eq!(
        spec,
        (Some(of_a_new_planet.seed), Some(of_a_new_planet.shift), Some(of_a_new_planet.raster_level))
    );
    assert_eq!(said, defaults);
}

#[test]
fn what_is_printed_is_a_file_of_the_same_settings_without_the_password() {
    let environment = [("TERRANE_DATABASE_URL", "postgres://ann:s3cret@db:5432/terrane")];
    let printed = print(sources("[node]\nroles = ['zone']\n", &environment, &[])).unwrap();
    assert!(printed.contains("roles = [\"zone\"]  # file"), "{printed}");
    assert!(printed.contains("url = \"postgres://ann:…@db:5432/terrane\"  # environment"), "{printed}");
    assert!(!printed.contains("s3cret"));
    assert!(Config::read(sources(&printed, &[], &[])).is_ok());
}

#[test]
fn an_operator_brings_an_economy_and_is_told_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("economy.toml");
    let path = path.to_str().unwrap();
    let table = include_str!("../../../../content/economy.toml");
    std::fs::write(path, table.replace("soft_close_s = 120", "soft_close_s = 7")).unwrap();
    let config = Config::read(sources("", &[("TERRANE_ECONOMY_PATH", path)], &[])).unwrap();
    assert_eq!(config.economy.unwrap().market.soft_close_s, 7);

    std::fs::write(path, table.replace("soft_close_s = 120", "soft_close_s = -1")).unwrap();
    let said = problems("", &[("TERRANE_ECONOMY_PATH", path)]);
    assert!(said.len() == 1 && said[0].contains("soft_close_s"), "{said:?}");
    let said = problems("", &[("TERRANE_ECONOMY_PATH", "/nowhere/economy.toml")]);
    assert!(said.len() == 1 && said[0].contains("cannot be read"), "{said:?}");
}

#[test]
fn webtransport_is_beside_http_where_clients_reach_it_themselves() {
    let http: std::net::SocketAddr = "127.0.0.1:7380".parse().unwrap();
    let at = |file: &str| Config::read(sources(file, &[], &[])).unwrap().http.webtransport_at(http);
    assert_eq!(at(""), Some(http));
    assert_eq!(at("[http]\nwebtransport = 'off'\n"), None);
    assert_eq!(at("[http]\ntrusted_proxies = ['10.0.0.7']\n"), None);
    let named = "[http]\ntrusted_proxies = ['10.0.0.7']\nwebtransport = '0.0.0.0:7443'\n";
    assert_eq!(at(named), Some("0.0.0.0:7443".parse().unwrap()));
    assert_eq!(
        problems("[http]\nwebtransport = 'yes'\necho = 'true'\n", &[]),
        [
            "t.toml: http.webtransport must be an address and port like 127.0.0.1:7380 or [::]:7380, auto or off",
            "t.toml: http.echo must be on or off"
        ]
    );
}
