//! The binary as a process.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use tempfile::TempDir;

use super::DEADLINE;

/// What a finished command left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its exit status; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

/// Runs `terrane` with these arguments to its end, in a folder of its own and without settings from outside.
#[track_caller]
pub(crate) fn terrane(arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let mut child = command(arguments)
        .current_dir(folder.path())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let status = wait(&mut child).unwrap_or_else(|| {
        let _ = child.kill();
        panic!("terrane {arguments:?} does not end: {}", std::fs::read_to_string(&err).unwrap())
    });
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    Finished { code: status.code(), stdout: read(&out), stderr: read(&err) }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terrane"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TERRANE_") {
            command.env_remove(name);
        }
    }
    // The coarsest planet has all that a planet has and is made in a tenth of a second.
    command.env("TERRANE_PLANET_RASTER_LEVEL", "6");
    // All of them come from one address and in no time.
    command.env("TERRANE_LIMITS_FACTOR", "100000");
    command
}

/// Waits for the end of a process up to the deadline.
fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let began_at = Instant::now();
    while began_at.elapsed() < DEADLINE {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    None
}

/// A planet in a temporary folder: can be ended, killed and started again.
pub(crate) struct Server {
    folder: TempDir,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    url: String,
    lines: Vec<String>,
    is_ready: bool,
    output: mpsc::Receiver<String>,
}

impl Running {
    /// Takes note of a line of output.
    fn take(&mut self, line: String) {
        if line.starts_with("Terrane is ready: ") {
            self.is_ready = true;
        } else {
            self.lines.push(line);
        }
    }
}

impl Server {
    /// A new planet, ready.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with further options.
    #[track_caller]
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let options = options.iter().map(ToString::to_string).collect();
        let mut server =
            Self { folder: tempfile::tempdir().unwrap(), options, environment: vec![], running: None };
        server.start_again();
        server
    }

    /// A new planet with this configuration file.
    #[track_caller]
    pub(crate) fn start_configured(toml: &str) -> Self {
        Self::start_in(toml, &[])
    }

    /// The same with something in its environment, too.
    #[track_caller]
    pub(crate) fn start_in(toml: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("terrane.toml");
        std::fs::write(&file, toml).unwrap();
        let options = vec!["--config".to_owned(), file.to_str().unwrap().to_owned()];
        let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let mut server = Self { folder, options, environment, running: None };
        server.start_again();
        server
    }

    /// One that has not been started.
    pub(crate) fn new() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    /// The same in a folder with something in it.
    pub(crate) fn in_folder(folder: TempDir) -> Self {
        Self { folder, options: Vec::new(), environment: vec![], running: None }
    }

    /// A new planet of this raster level, listening but perhaps not made yet.
    #[track_caller]
    pub(crate) fn begin_with_level(raster_level: u8) -> Self {
        let options = vec!["--raster-level".to_owned(), raster_level.to_string()];
        let mut server =
            Self { folder: tempfile::tempdir().unwrap(), options, environment: vec![], running: None };
        server.begin_again();
        server
    }

    /// Starts the ended process on the same data.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        self.begin_again();
        self.wait_until_ready();
    }

    /// The same, as far as that it listens.
    #[track_caller]
    pub(crate) fn begin_again(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let data = self.data();
        let mut arguments = vec![
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--metrics-listen",
            "127.0.0.1:0",
            "--data",
            data.to_str().unwrap(),
        ];
        arguments.extend(self.options.iter().map(String::as_str));
        let log = File::options().append(true).create(true).open(self.log_path()).unwrap();
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        let mut child =
            command(&arguments).envs(environment).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let (sender, receiver) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        // Reads on for as long as the process writes, so that it never meets a closed pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let Ok(line) = receiver.recv_timeout(DEADLINE) else {
            let _ = child.kill();
            panic!("the server does not listen; it logged {}", self.log());
        };
        let url = line.split_whitespace().find(|word| word.starts_with("http")).expect("an address");
        let url = url.to_owned();
        self.running = Some(Running { child, url, lines: vec![line], is_ready: false, output: receiver });
    }

    #[track_caller]
    pub(crate) fn wait_until_ready(&mut self) {
        loop {
            let running = self.running.as_mut().expect("the server runs");
            if running.is_ready {
                break;
            }
            if let Ok(line) = running.output.recv_timeout(DEADLINE) {
                running.take(line);
            } else {
                let _ = running.child.kill();
                let lines = running.lines.join("\n");
                panic!("the server does not get ready; it said {lines} and logged {}", self.log());
            }
        }
    }

    /// `kill -9`, unless it has said that it is ready; gives whether it has.
    pub(crate) fn kill_unless_ready(&mut self) -> bool {
        let running = self.running.as_mut().expect("it runs");
        while let Ok(line) = running.output.try_recv() {
            running.take(line);
        }
        let is_ready = running.is_ready;
        if !is_ready {
            self.kill();
        }
        is_ready
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.running().url
    }

    /// `host:port`.
    pub(crate) fn host(&self) -> &str {
        self.url().split_once("://").unwrap().1
    }

    /// What it said while it started.
    pub(crate) fn lines(&self) -> &[String] {
        &self.running().lines
    }

    /// What one of its metrics is now, under all labels together.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let mut words = self.lines().iter().flat_map(|line| line.split_whitespace());
        let address = words.rfind(|word| word.ends_with("/metrics"))?;
        let text = reqwest::get(address).await.ok()?.text().await.ok()?;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '{']))?;
            rest.rsplit(' ').next()?.parse::<f64>().ok()
        });
        values.reduce(|sum, value| sum + value)
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// All it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// SIGTERM, then its exit status.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut running = self.running.take().expect("it runs");
        let id = running.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = wait(&mut running.child).unwrap_or_else(|| {
            let _ = running.child.kill();
            panic!("the server does not end; it logged {}", self.log())
        });
        status.code()
    }

    /// `terrane …` on this server's data; what writes there must wait until the server has ended.
    #[track_caller]
    pub(crate) fn command(&self, arguments: &[&str]) -> Finished {
        let data = self.data();
        let mut all = arguments.to_vec();
        all.extend(["--data", data.to_str().unwrap()]);
        // Without the options of `serve` that these commands do not take.
        let config = self.options.iter().position(|option| option == "--config");
        all.extend(config.into_iter().flat_map(|at| self.options[at..].iter().take(2).map(String::as_str)));
        terrane(&all)
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the server logged:\n{}", self.log());
        }
    }
}
