//! Where values come from, and what is wrong with them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::settings::{self, Form, Setting};

/// One thing wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem(String);

impl Problem {
    /// Something wrong with the words of a command.
    pub(crate) fn of_command(reason: String) -> Self {
        Self(reason)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Values as texts, by source.
#[derive(Clone)]
pub(crate) struct Sources {
    flags: BTreeMap<&'static str, String>,
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    file_name: String,
    problems: Vec<Problem>,
}

impl Sources {
    /// `environment` is all of it; what does not begin with `TERRANE_` is not looked at.
    pub(crate) fn new(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            flags: BTreeMap::new(),
            environment: environment
                .into_iter()
                .filter(|(variable, _)| variable.starts_with("TERRANE_"))
                .collect(),
            file: BTreeMap::new(),
            file_name: String::new(),
            problems: Vec::new(),
        }
    }

    /// A value given on the command line.
    pub(crate) fn flag(&mut self, setting: &'static str, value: Option<impl ToString>) {
        debug_assert!(settings::ALL.iter().any(|known| known.path == setting), "{setting}");
        if let Some(value) = value {
            self.flags.insert(setting, value.to_string());
        }
    }

    /// Reads the file at `path`.
    pub(crate) fn read_file(&mut self, path: &Path) {
        match std::fs::read_to_string(path) {
            Ok(text) => self.read_text(&path.display().to_string(), &text),
            Err(error) => {
                self.problems.push(Problem(format!(
                    "the configuration file {} cannot be read: {error}",
                    path.display()
                )));
            }
        }
    }

    /// Reads the content of a file.
    pub(crate) fn read_text(&mut self, name: &str, text: &str) {
        name.clone_into(&mut self.file_name);
        match text.parse::<toml::Table>() {
            Ok(table) => self.read_table("", &table),
            Err(error) => {
                self.problems.push(Problem(format!("{name} is not TOML: {}", error.to_string().trim_end())));
            }
        }
    }

    fn read_table(&mut self, prefix: &str, table: &toml::Table) {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            let setting = settings::ALL.iter().find(|setting| setting.path == path);
            match (setting, value) {
                (None, toml::Value::Table(inner)) if prefix.is_empty() && is_section(name) => {
                    self.read_table(&format!("{path}."), inner);
                }
                (None, _) => {
                    let problem = format!("{}: unknown key {path:?}; {}", self.file_name, known_keys(prefix));
                    self.problems.push(Problem(problem));
                }
                (Some(setting), value) => {
                    if let Some(text) = to_text(setting.form, value) {
                        self.file.insert(path, text);
                    } else {
                        let wanted = setting.form.in_words();
                        self.problems.push(Problem(format!("{}: {path} must be {wanted}", self.file_name)));
                    }
                }
            }
        }
    }

    /// The value of `setting` and the kind of source it comes from.
    pub(crate) fn effective(&self, setting: &Setting) -> (&str, &'static str) {
        if let Some(value) = self.flags.get(setting.path) {
            (value, "flag")
        } else if let Some(value) = self.environment.get(&setting.variable()) {
            (value, "environment")
        } else if let Some(value) = self.file.get(setting.path) {
            (value, "file")
        } else {
            (setting.default, "default")
        }
    }

    /// Parses the value of `setting`; if it cannot be read, notes the problem and gives the default.
    pub(super) fn take<T>(&mut self, setting: &Setting, parse: impl Fn(&str) -> Result<T, String>) -> T {
        let (value, source) = self.effective(setting);
        match parse(value) {
            Ok(parsed) => parsed,
            Err(reason) => {
                let place = match source {
                    "flag" => format!("the flag for {}", setting.path),
                    "environment" => format!("the environment variable {}", setting.variable()),
                    _ => format!("{}: {}", self.file_name, setting.path),
                };
                self.problems.push(Problem(format!("{place} {reason}")));
                parse(setting.default).expect("every default can be read")
            }
        }
    }

    /// Notes a problem of several settings together.
    pub(super) fn refuse(&mut self, reason: &str) {
        self.problems.push(Problem(reason.to_owned()));
    }

    /// The same for a setting whose default is only for those who have nothing yet.
    pub(super) fn take_if_given<T>(
        &mut self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let is_given = self.effective(setting).1 != "default";
        is_given.then(|| self.take(setting, parse))
    }

    /// Environment variables that look like settings and are none.
    ///
    /// They are not problems: Kubernetes puts variables like `TERRANE_PORT` into every pod beside a service of that
    /// name. But a slip of the pen must not pass in silence either.
    pub(crate) fn unknown_variables(&self) -> Vec<String> {
        let is_known = |variable: &str| {
            variable == "TERRANE_CONFIG"
                || variable.starts_with("TERRANE_TEST_")
                || settings::ALL.iter().any(|setting| setting.variable() == variable)
        };
        self.environment.keys().filter(|variable| !is_known(variable)).cloned().collect()
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

fn to_text(form: Form, value: &toml::Value) -> Option<String> {
    match (form, value) {
        (Form::Text, toml::Value::String(text)) => Some(text.clone()),
        (Form::Number, toml::Value::Integer(number)) => Some(number.to_string()),
        // TOML's integers end at 2^63 - 1, seeds at 2^64 - 1: the rest is written as text.
        (Form::Number, toml::Value::String(digits)) => Some(digits.clone()),
        (Form::List, toml::Value::Array(items)) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            items.map(|items| items.join(","))
        }
        (Form::Tables, toml::Value::Array(items)) => {
            items.iter().all(toml::Value::is_table).then(|| value.to_string())
        }
        _ => None,
    }
}

fn is_section(name: &str) -> bool {
    settings::ALL.iter().any(|setting| setting.path.split('.').next() == Some(name))
}

fn known_keys(prefix: &str) -> String {
    let mut names: Vec<&str> = settings::ALL
        .iter()
        .filter_map(|setting| setting.path.strip_prefix(prefix))
        .filter_map(|rest| rest.split('.').next())
        .collect();
    names.dedup();
    match prefix.strip_suffix('.') {
        Some(section) => format!("[{section}] has {}", names.join(", ")),
        None => format!("there are the sections {}", names.join(", ")),
    }
}
