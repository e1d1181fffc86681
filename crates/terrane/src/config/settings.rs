//! Every setting: its key, its default, what it means.

/// One setting. The environment variable is `TERRANE_` and the path in capitals, with `_` for the dot.
pub(crate) struct Setting {
    /// `section.name` in the file.
    pub(crate) path: &'static str,
    /// As it would stand in the environment.
    pub(crate) default: &'static str,
    /// How it is written in TOML.
    pub(crate) form: Form,
    /// For the template; one line each.
    pub(crate) meaning: &'static [&'static str],
}

/// How a value is written in TOML.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Number,
    /// Several texts; separated by commas in the environment.
    List,
    /// Several tables; as TOML in the environment.
    Tables,
}

macro_rules! settings {
    ($($name:ident: $path:literal, $form:ident, $default:literal, $($meaning:literal),+;)*) => {
        $(pub(super) static $name: Setting = Setting {
            path: $path,
            default: $default,
            form: Form::$form,
            meaning: &[$($meaning),+],
        };)*
        /// All of them, section by section.
        pub(super) static ALL: &[&Setting] = &[$(&$name),*];
    };
}

settings! {
    PLANET_NAME: "planet.name", Text, "Terrane",
        "What people see as the name of the planet.";
    PLANET_SEED: "planet.seed", Number, "1",
        "Where all chance of the world comes from: the default is for a new planet. It is kept with the",
        "planet's data at the first start; a later start that names another value is refused.";
    PLANET_SHIFT: "planet.shift", Number, "3",
        "The radius is Earth's / 2^shift: 3 makes 796 km. 0 to 9. Kept like the seed.";
    PLANET_RASTER_LEVEL: "planet.raster_level", Number, "10",
        "How fine the planet is made as a whole, before its ground is filled in: 10 takes some seconds at",
        "the first start, 6 a tenth of one and is for tests. 6 to 10. Kept like the seed.";
    PLANET_DAY_LENGTH_S: "planet.day_length_s", Number, "5400",
        "From noon to noon, in seconds. 60 to 31557600.";
    ECONOMY_PATH: "economy.path", Text, "",
        "A file with the currencies, prices and times of this planet, in the form of content/economy.toml",
        "of the source. The same for every node. Empty: the table of the program.";
    NODE_DATA: "node.data", Text, "data",
        "The folder that holds everything of this planet: database, artifact and keys. Back this up.";
    NODE_ROLES: "node.roles", List, "",
        "What this process does: gateway, zone. Empty: all of it.";
    ZONE_TICK_HZ: "zone.tick_hz", Number, "30",
        "Steps of the world in a second: 20, 30 or 60. The same for every node.";
    ZONE_SEND_HZ: "zone.send_hz", Number, "10",
        "How often each client is told what has moved near it, in a second. zone.tick_hz must be a multiple.";
    ZONE_THREADS: "zone.threads", Number, "0",
        "Threads that move bodies and make what is sent. 0: as many as the machine has.";
    ZONE_ZONES_MIN: "zone.zones_min", Number, "1",
        "Zones that the planet is cut into at least, as soon as there are people to divide. 1 to 1024.";
    ZONE_ZONES_MAX: "zone.zones_max", Number, "64",
        "Zones that it is cut into at most, however crowded it is. 1 to 1024.";
    ZONE_BODIES_MAX: "zone.bodies_max", Number, "10000",
        "Bodies at once, with those whose players have just lost their connection. 1 to 1000000.";
    ZONE_JOURNAL_MINUTES: "zone.journal_minutes", Number, "10",
        "How long what everybody did is kept in the folder zones of the data folder, for staff. 1 to 1440.";
    HTTP_LISTEN: "http.listen", Text, "127.0.0.1:7380",
        "Address for browsers and API. Port 0 takes a free one, which is printed.";
    HTTP_TLS_CERTIFICATE: "http.tls_certificate", Text, "",
        "File with this server's certificate and those that lead to a root, in PEM (an ACME client's",
        "fullchain.pem). Read anew when it changes. Empty: plain HTTP, on loopback or behind a named proxy.";
    HTTP_TLS_KEY: "http.tls_key", Text, "",
        "File with the private key of that certificate, in PEM (an ACME client's privkey.pem).";
    HTTP_TRUSTED_PROXIES: "http.trusted_proxies", List, "",
        "Addresses or networks of proxies in front of this node, like 10.0.0.7 or 10.0.0.0/24. Only these",
        "may say by X-Forwarded-For and X-Forwarded-Proto whom they speak for.";
    HTTP_PUBLIC_ORIGINS: "http.public_origins", List, "",
        "The addresses people open, like https://planet.example. Set this when the planet is reachable",
        "from outside. Empty: whatever host the browser asked for.";
    HTTP_HOSTS: "http.hosts", List, "",
        "Further names under which this planet answers, without port; those of the public origins and of",
        "this machine itself are known. With no name at all, an open address takes any.";
    HTTP_CORS_ORIGINS: "http.cors_origins", List, "",
        "Web pages of others that may use the API from a browser, like https://tools.example.";
    HTTP_CONNECTIONS_MAX: "http.connections_max", Number, "10000",
        "TCP connections at once; further ones wait.";
    HTTP_WEBTRANSPORT: "http.webtransport", Text, "auto",
        "UDP address at which browsers may come by WebTransport. auto: the same address and port as above,",
        "unless a proxy is named, which would not pass it on; off: WebSocket alone.";
    HTTP_ECHO: "http.echo", Text, "off",
        "on: /ws/echo says back what it is told, for conformance suites of WebSocket.";
    HTTP_SOCKETS_MAX: "http.sockets_max", Number, "10000",
        "Players connected at once; further ones are told that the planet is full.";
    HTTP_SOCKET_SEND_BUFFER_BYTES: "http.socket_send_buffer_bytes", Number, "262144",
        "What the system may hold for one slow reader.";
    LIMITS_FACTOR: "limits.factor", Number, "1",
        "Everything below so many times as often: for tests and measurements. 1 to 1000000.";
    LIMITS_API_ACCOUNT: "limits.api_account", Text, "100/min burst 300",
        "Requests to the API by one account. In this section: a number, a slash and s, min, h or d; then how",
        "much may come at once after a rest; or off.";
    LIMITS_API_ADDRESS: "limits.api_address", Text, "100/min burst 300",
        "Requests to the API without a valid token, by one address (of IPv6 a /64).";
    LIMITS_ADDRESS: "limits.address", Text, "1200/min burst 2400",
        "All requests to the API by one address: a household or a school behind one counts as one.";
    LIMITS_FILES: "limits.files", Text, "12000/min burst 12000",
        "Map tiles, pieces of the planet and files of the page, by one address.";
    LIMITS_CHAT: "limits.chat", Text, "10/s burst 20",
        "Things said, by one account.";
    LIMITS_TRADE: "limits.trade", Text, "5/min burst 10",
        "Purchases, bids, offers, transfers and what accepts them, by one account.";
    LIMITS_REGISTRATION: "limits.registration", Text, "20/h burst 40",
        "New accounts from one address.";
    LIMITS_LOGIN: "limits.login", Text, "30/min burst 60",
        "Attempts to sign in with a password, from one address.";
    LIMITS_LOGIN_NAME: "limits.login_name", Text, "10/min burst 20",
        "Attempts to sign in as one person, from wherever they come.";
    LIMITS_MAIL: "limits.mail", Text, "5/h burst 5",
        "Mails to one address.";
    METRICS_LISTEN: "metrics.listen", Text, "127.0.0.1:7381",
        "Address for Prometheus, path /metrics; off for none.";
    WEBHOOKS_DESTINATIONS: "webhooks.destinations", Text, "public",
        "Where players' webhooks may be sent: public (https to public addresses), or loopback, which for",
        "development also allows http and https to this machine.";
    SIGN_IN_PROVIDERS: "sign_in.providers", Tables, "[]",
        "OpenID Connect providers with whom people may sign in, each as one table:",
        "[[sign_in.providers]]",
        "id = 'home'                        # stands in addresses: .../auth/providers/home/callback",
        "name = 'Home'                      # for people",
        "issuer = 'https://login.example'   # exactly as the provider writes it",
        "client_id = 'terrane'",
        "client_secret_file = '/run/secrets/home'   # or client_secret_env, or client_secret",
        "scopes = ['openid']",
        "allow_http = false                 # true: http to this machine, for development";
    ACCOUNTS_HASHING_THREADS: "accounts.hashing_threads", Number, "1",
        "Threads that hash passwords: each does some twenty a second and holds 19 MiB. 1 to 64.";
    ACCOUNTS_HASHING_WAITING_MAX: "accounts.hashing_waiting_max", Number, "64",
        "Passwords that may wait for them; whoever comes then is asked to come again. 1 to 10000.";
    MAIL_SERVER: "mail.server", Text, "",
        "smtps://user:password@mail.example.org, or smtp://user:password@mail.example.org:587?tls=required.",
        "Empty: letters are written to the folder mail in the data folder, and their paths to the log.";
    MAIL_SENDER: "mail.sender", Text, "Terrane <no-reply@localhost>",
        "Whom letters are from.";
    DATABASE_URL: "database.url", Text, "",
        "postgres://user:password@host:port/database. Empty: embedded, in the data folder.";
    DATABASE_CONNECTIONS_MAX: "database.connections_max", Number, "8",
        "Connections to PostgreSQL; the embedded database does not use this.";
    PRIVACY_MASTER_KEY: "privacy.master_key", Text, "",
        "The key under which personal data in the database is encrypted: 32 bytes in base64url. While it is",
        "being changed: the new one, a comma, the one before. Empty: the file below.";
    PRIVACY_MASTER_KEY_FILE: "privacy.master_key_file", Text, "",
        "Where that key is, made at the first start. Without it personal data is lost: keep a copy, apart",
        "from backups of the database. Empty: keys/master.key in the data folder.";
    PRIVACY_COOLING_OFF_DAYS: "privacy.cooling_off_days", Number, "14",
        "Days between somebody's wish to be forgotten and its coming true; signing in cancels it. 0 to 30.";
    PRIVACY_EXPORT_DAYS: "privacy.export_days", Number, "7",
        "Days for which an archive of somebody's data can be fetched. 1 to 30.";
    STAFF_SECOND_PERSON_MINOR: "staff.second_person_minor", Number, "1000000",
        "Acts of staff that move more money than this, in smallest units, wait until a second person has",
        "approved them. 0: all of them.";
    LOG_FORMAT: "log.format", Text, "auto",
        "auto (human on a terminal, JSON otherwise), human or json. Logs go to standard error.";
    LOG_FILTER: "log.filter", Text, "info",
        "How much: error, warn, info, debug, trace; by part: warn,zone=debug.";
}

impl Form {
    /// What a value of the wrong form is told to be.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::Number => "a whole number",
            Self::List => "a list of texts",
            Self::Tables => "a list of tables",
        }
    }
}

impl Setting {
    /// Its name in the environment.
    pub(crate) fn variable(&self) -> String {
        format!("TERRANE_{}", self.path.replace('.', "_").to_ascii_uppercase())
    }

    fn section_and_name(&self) -> (&'static str, &'static str) {
        self.path.split_once('.').expect("every path has a section")
    }
}

/// A commented file with every setting at its default.
pub(crate) fn template() -> String {
    let head = "# Configuration of a Terrane node. Every line that is commented out shows the default.\n\
                # The environment wins over this file, flags win over the environment.\n\n";
    let body = render(|setting| (setting.default.to_owned(), None));
    format!("{head}{}", body.trim_start())
}

/// All settings as TOML. `value_of` gives a value and its source; without a source it is a default, commented out
/// under its meaning.
pub(super) fn render(mut value_of: impl FnMut(&'static Setting) -> (String, Option<&'static str>)) -> String {
    let mut text = String::new();
    let mut section_before = "";
    for setting in ALL {
        let (section, name) = setting.section_and_name();
        if section != section_before {
            text.extend(["\n[", section, "]\n"]);
            section_before = section;
        }
        let (value, source) = value_of(setting);
        let value = toml_value(setting.form, &value);
        if let Some(source) = source {
            text.extend([name, " = ", &value, "  # ", source, "\n"]);
        } else {
            for line in setting.meaning {
                text.extend(["# ", line, "\n"]);
            }
            text.extend(["# Environment: ", &setting.variable(), "\n#", name, " = ", &value, "\n\n"]);
        }
    }
    text.replace("\n\n\n", "\n\n")
}

fn toml_value(form: Form, value: &str) -> String {
    match form {
        Form::Number | Form::Tables => value.to_owned(),
        Form::Text => toml::Value::from(value).to_string(),
        Form::List => {
            let items = super::list_items(value).map(|item| toml::Value::from(item).to_string());
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
    }
}
