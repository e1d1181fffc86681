//! Real sockets, some of which dawdle, lie or send too much.

use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// For whoever dawdles.
const SHORT: Duration = Duration::from_millis(500);

struct Listening {
    address: SocketAddr,
    _world: World,
    stop: watch::Sender<bool>,
}

async fn listen() -> Listening {
    let world = World::with(plain(), Limiter::off(), Duration::from_secs(2)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { head_time_max: SHORT, ..Limits::new(50, 65_536) };
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(server::serve(listener, None, world.app.clone().into(), limits, stopping));
    Listening { address, _world: world, stop }
}

/// Reads one answer: its head, and as much of a body as it announces.
async fn read_answer(stream: &mut TcpStream) -> (u16, String) {
    let reading = async {
        let mut bytes = Vec::new();
        let (status, head_bytes, body_bytes) = loop {
            let mut some = [0; 4_096];
            let count = stream.read(&mut some).await.expect("no reset");
            bytes.extend_from_slice(&some[..count]);
            let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(head_end) = head_end {
                let head = String::from_utf8_lossy(&bytes[..head_end]).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let status = head[9..12].parse().unwrap();
                break (status, head_end + 4, length.map_or(0, |it| it.parse::<usize>().unwrap()));
            }
            assert_ne!(count, 0, "it ended after {:?}", String::from_utf8_lossy(&bytes));
        };
        while bytes.len() < head_bytes + body_bytes {
            let mut some = [0; 4_096];
            let count = stream.read(&mut some).await.expect("no reset");
            assert_ne!(count, 0, "it ended within the body");
            bytes.extend_from_slice(&some[..count]);
        }
        (status, String::from_utf8_lossy(&bytes).into_owned())
    };
    timeout(PATIENCE, reading).await.expect("an answer in time")
}

/// Waits for the end of a connection, which may be a reset.
async fn ends(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it ends");
    rest
}

const CHALLENGE: &str =
    "POST /api/v1/auth/challenge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn a_head_that_dawdles_is_cut_off_and_holds_nobody_up() {
    let planet = listen().await;
    let began_at = Instant::now();
    let mut slow = TcpStream::connect(planet.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
    // A line now and then does not buy more time.
    let (mut reading, mut writing) = slow.into_split();
    let dribble = tokio::spawn(async move {
        while writing.write_all(b"X-Slow: 1\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut quick = TcpStream::connect(planet.address).await.unwrap();
    quick.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut quick).await.0, 200);
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, reading.read_to_end(&mut rest)).await.expect("it is cut off");
    assert!(began_at.elapsed() >= SHORT && began_at.elapsed() < SHORT * 10, "{:?}", began_at.elapsed());
    // Nothing is said to one who has asked nothing.
    let mut silent = TcpStream::connect(planet.address).await.unwrap();
    assert_eq!(ends(&mut silent).await, b"");
    dribble.abort();
}

#[tokio::test]
async fn a_body_that_dawdles_is_answered_and_ended() {
    let planet = listen().await;
    let mut slow = TcpStream::connect(planet.address).await.unwrap();
    slow.write_all(format!("{CHALLENGE}Content-Length: 1000\r\n\r\n{{").as_bytes()).await.unwrap();
    let began_at = Instant::now();
    let (status, answer) = read_answer(&mut slow).await;
    assert_eq!(status, 503);
    assert!(answer.contains("\"timeout\"") && answer.contains("request_id"), "{answer}");
    assert!(began_at.elapsed() < Duration::from_secs(10), "{:?}", began_at.elapsed());
    // And not held open for the rest.
    ends(&mut slow).await;
    assert!(began_at.elapsed() < Duration::from_secs(15), "{:?}", began_at.elapsed());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_before_anything_is_reset() {
    let planet = listen().await;
    // As large as a claim of ten thousand cells, and larger than all buffers between.
    let large = "x".repeat(4 << 20);
    let declared = format!("{CHALLENGE}Content-Length: {}\r\n\r\n{large}", large.len());
    let chunked =
        format!("{CHALLENGE}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    // Refused for another reason, before anybody looks at the body.
    let refused = declared.replace("/api/v1/auth/challenge", "/api/v1/missing");
    let from_elsewhere = declared.replace("Host: localhost", "Host: evil.example");
    for (request, status, code) in [
        (declared, 413, "body_too_large"),
        (chunked, 413, "body_too_large"),
        (refused, 413, "body_too_large"),
        (from_elsewhere, 421, "unknown_host"),
    ] {
        let mut stream = TcpStream::connect(planet.address).await.unwrap();
        // A client that reads only after it has written everything, as many do.
        timeout(PATIENCE, stream.write_all(request.as_bytes())).await.unwrap().expect("everything is taken");
        let (answered, answer) = read_answer(&mut stream).await;
        assert_eq!(answered, status, "{answer}");
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
        // The connection is as good as before.
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert_eq!(read_answer(&mut stream).await.0, 200);
    }
}

#[tokio::test]
async fn one_who_neverstops_sending_is_answered_and_cut_off() {
    let planet = listen().await;
    let stream = TcpStream::connect(planet.address).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let sending = tokio::spawn(async move {
        let head = format!("{CHALLENGE}Content-Length: 1000000000000\r\n\r\n");
        writing.write_all(head.as_bytes()).await.unwrap();
        let some = vec![b'x'; 65_536];
        let mut sent = 0usize;
        while writing.write_all(&some).await.is_ok() {
            sent += 65_536;
        }
        sent
    });
    let mut answer = [0; 12];
    timeout(PATIENCE, reading.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let sent = timeout(PATIENCE, sending).await.expect("it is cut off").unwrap();
    assert!(sent < 64 << 20, "{sent}");
}

#[tokio::test]
async fn one_who_asks_first_is_told_before_sending() {
    let planet = listen().await;
    let mut stream = TcpStream::connect(planet.address).await.unwrap();
    let head = format!("{CHALLENGE}Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (status, answer) = read_answer(&mut stream).await;
    assert_eq!(status, 413, "{answer}");
    assert!(!answer.contains("100 Continue"), "{answer}");
}

#[tokio::test]
async fn heads_that_are_malformed_ambiguous_or_too_large_are_refused() {
    let planet = listen().await;
    let many_lines = "X: y\r\n".repeat(150);
    let long_line = format!("X: {}\r\n", "y".repeat(40_000));
    let get = "GET /api/v1/planet HTTP/1.1\r\nHost: localhost\r\n";
    let cases = [
        (format!("{get}{many_lines}\r\n"), 431),
        (format!("{get}{long_line}\r\n"), 431),
        (format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(70_000)), 431),
        // Two readers must never see two different requests.
        (format!("{CHALLENGE}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}"), 400),
        (format!("{CHALLENGE}Content-Length: +2\r\n\r\n{{}}"), 400),
        (format!("{CHALLENGE}Content-Length: 2, 2\r\n\r\n{{}}"), 400),
        (format!("{CHALLENGE}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400),
        (format!("{CHALLENGE}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), 400),
        (format!("{get}Host: evil.example\r\n\r\n"), 400),
        (format!("{get}X-A: 1\r\n folded\r\n\r\n"), 400),
        (format!("{get}X-A : 1\r\n\r\n"), 400),
        (format!("{get}X-A: a\0b\r\n\r\n"), 400),
        (format!("{get}X-A: a\rSet-Cookie: b\r\n\r\n"), 400),
        (format!("{get}no colon\r\n\r\n"), 400),
        ("GET /api/v1/planet HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET http://evil.example/api/v1/planet HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 421),
        ("GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 400),
        ("NONSENSE\r\n\r\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n".to_owned(), 400),
    ];
    for (request, status) in cases {
        let shown: String = request.chars().take(200).collect();
        let mut stream = TcpStream::connect(planet.address).await.unwrap();
        let _ = stream.write_all(request.as_bytes()).await;
        let (answered, answer) = read_answer(&mut stream).await;
        assert_eq!(answered, status, "{shown:?}: {answer}");
        assert!(!answer.to_ascii_lowercase().contains("set-cookie"), "{answer}");
    }
    // What is encoded stays encoded: no line of ours is made of it.
    let mut stream = TcpStream::connect(planet.address).await.unwrap();
    let encoded = "GET /api/v1/lands/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(encoded.as_bytes()).await.unwrap();
    let (status, answer) = read_answer(&mut stream).await;
    assert!((400..500).contains(&status) && !answer.contains("\r\nSet-Cookie"), "{answer}");
}

#[tokio::test]
async fn what_has_begun_is_finished_and_nothing_new_is_taken() {
    let planet = listen().await;
    let mut begun = TcpStream::connect(planet.address).await.unwrap();
    begun.write_all(format!("{CHALLENGE}Content-Length: 2\r\n\r\n{{").as_bytes()).await.unwrap();
    // The server has it in hand when it asks for the rest: a second request on another connection has been answered.
    let mut other = TcpStream::connect(planet.address).await.unwrap();
    other.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut other).await.0, 200);
    planet.stop.send(true).unwrap();
    assert_eq!(ends(&mut other).await, b"", "an idle connection is closed");
    begun.write_all(b"}").await.unwrap();
    let (status, answer) = read_answer(&mut begun).await;
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(ends(&mut begun).await, b"");
    assert!(TcpStream::connect(planet.address).await.is_err());
}
