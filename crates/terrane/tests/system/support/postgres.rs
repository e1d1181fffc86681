//! A PostgreSQL server of the test's own, which it may end as it likes.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::DEADLINE;

/// A private server in a temporary folder.
pub(crate) struct PrivatePostgres {
    folder: TempDir,
    programs: PathBuf,
    /// `PostgreSQL` refuses to run as root: there it runs as another user.
    run_as: Vec<String>,
    port: u16,
    running: Option<Child>,
}

impl PrivatePostgres {
    /// An empty one; none where `PostgreSQL` is not installed and `TERRANE_TEST_POSTGRES_REQUIRED` does not insist.
    #[track_caller]
    pub(crate) fn start() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres-bin");
        let found = Command::new(script).output().unwrap();
        if !found.status.success() {
            let is_required = std::env::var("TERRANE_TEST_POSTGRES_REQUIRED").is_ok_and(|it| it == "1");
            assert!(!is_required, "{}", String::from_utf8_lossy(&found.stderr));
            return None;
        }
        let programs = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
        let folder = tempfile::tempdir().unwrap();
        let run_as = other_user(folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { folder, programs, run_as, port, running: None };
        let made = server
            .command("initdb")
            .arg("-D")
            .arg(server.data())
            .args(["-U", "terrane", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"])
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        Some(server)
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> String {
        format!("postgres://terrane@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the ended server on the same data, and waits until it answers: after a sudden end it repairs first.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let log = File::options().append(true).create(true).open(self.log_path()).unwrap();
        // Commits wait until the system has them, which outlives this process; nobody pulls the plug.
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c"])
            .arg(format!("unix_socket_directories={}", self.folder.path().display()))
            .args([
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off",
                "-c",
                "max_pred_locks_per_transaction=256",
            ])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running = Some(child);
        let began_at = Instant::now();
        while !self.is_ready() {
            assert!(began_at.elapsed() < DEADLINE, "PostgreSQL does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// "Immediate shutdown": every connection is cut, nothing is finished, the next start repairs.
    pub(crate) fn end_at_once(&mut self) {
        let mut child = self.running.take().expect("it runs");
        signal(&child, "-QUIT");
        child.wait().unwrap();
    }

    fn is_ready(&self) -> bool {
        let mut ask = self.command("pg_isready");
        ask.args(["-q", "-h", "127.0.0.1", "-U", "terrane", "-d", "postgres", "-p", &self.port.to_string()]);
        ask.status().unwrap().success()
    }

    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = match self.run_as.split_first() {
            Some((changer, arguments)) => {
                let mut command = Command::new(changer);
                command.args(arguments).arg(path);
                command
            }
            None => Command::new(path),
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.end_at_once();
        }
    }
}

/// As root: how to run something as the user that `PostgreSQL`'s package made, or as nobody; the folder is theirs then.
fn other_user(folder: &Path) -> Vec<String> {
    let output = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    if output(&["-u"]).as_deref() != Some("0") {
        return Vec::new();
    }
    let user = if output(&["postgres"]).is_some() { "postgres" } else { "nobody" };
    let group = output(&["-g", user]).unwrap();
    assert!(Command::new("chown").arg(user).arg(folder).status().unwrap().success());
    ["setpriv", "--reuid", user, "--regid", &group, "--clear-groups"].map(str::to_owned).to_vec()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}
