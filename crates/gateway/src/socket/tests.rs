//! One connection, with a client that dawdles, floods or does not read.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use zone::testing::{Client, Mail};
use zone::{Carrier as _, Frame, Hands};

use super::*;
use line::Written;

const PATIENCE: Duration = Duration::from_secs(20);

struct Pair {
    line: Arc<Line>,
    incoming: Incoming,
    client: TcpStream,
}

/// Both ends of a connection with small buffers of the system.
async fn pair() -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    socket2::SockRef::from(&server).set_send_buffer_size(4_096).unwrap();
    socket2::SockRef::from(&client).set_recv_buffer_size(4_096).unwrap();
    let (reading, writing) = server.into_split();
    let line = Line::new(writing, None);
    line.writable().await;
    let incoming = Incoming::new(reading, &[], MESSAGE_BYTES_MAX, &line);
    Pair { line: Arc::new(line), incoming, client }
}

async fn speaking(client: TcpStream) -> WebSocketStream<TcpStream> {
    WebSocketStream::from_raw_socket(client, Role::Client, None).await
}

fn frame(number: u32, bytes: usize) -> Frame {
    let mut content = vec![0; bytes];
    content[..4].copy_from_slice(&number.to_le_bytes());
    Frame::from(content)
}

/// Goes on whenever there is room, as the task of a connection does.
async fn go_on(line: &Line, client: &Client) -> Written {
    loop {
        match line.go_on(client.waiting()) {
            Written::Blocked(_) => line.writable().await,
            Written::All if client.waiting().is_over() => return Written::All,
            Written::All => client.waiting().ready().await,
            Written::Lost => return Written::Lost,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_system_does_not_take_at_once_follows_whole_and_in_order() {
    let Pair { line, client: theirs, .. } = pair().await;
    let mail = Mail::start(2);
    let client = Arc::new(Client::carried_by(Arc::<Line>::clone(&line)));
    let task = tokio::spawn({
        let (line, client) = (Arc::clone(&line), Arc::clone(&client));
        async move { go_on(&line, &client).await }
    });
    let mut theirs = speaking(theirs).await;
    let mut next = 0;
    for round in 0..40_u32 {
        // Now and then so much that buffers fill, between two rounds in which the client keeps up.
        let count = if round % 4 == 3 { 8 } else { 1 };
        for number in next..next + count {
            assert_eq!(mail.send([(&*client, frame(number, 3_000))]), 0, "never more than may wait");
        }
        for number in next..next + count {
            let message = tokio::time::timeout(PATIENCE, theirs.next()).await.unwrap().unwrap().unwrap();
            assert_eq!(message.into_data(), frame(number, 3_000).to_bytes());
        }
        next += count;
    }
    client.close();
    assert_eq!(task.await.unwrap(), Written::All);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_holds_nobody_up_and_keeps_a_bounded_store() {
    let deaf = pair().await;
    let quick = pair().await;
    let mail = Mail::start(1);
    let clients = [
        Client::carried_by(Arc::<Line>::clone(&deaf.line)),
        Client::carried_by(Arc::<Line>::clone(&quick.line)),
    ];
    let mut theirs = speaking(quick.client).await;
    let mut dropped = 0;
    for number in 0..200 {
        dropped += mail.send([(&clients[0], frame(number, 50_000)), (&clients[1], frame(number, 100))]);
        let message = tokio::time::timeout(PATIENCE, theirs.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(message.into_data(), frame(number, 100).to_bytes(), "in time, and each");
    }
    assert!(matches!(deaf.line.go_on(clients[0].waiting()), Written::Blocked(_)));
    // Each time all that wait, and the one that was too many.
    assert!(dropped >= 20, "{dropped}");
    assert!(deaf.line.waiting_bytes() < 1 << 20, "{}", deaf.line.waiting_bytes());
}

#[tokio::test]
async fn a_client_that_is_gone_is_told_of_to_its_task() {
    let Pair { line, client, .. } = pair().await;
    let ours = Client::carried_by(Arc::<Line>::clone(&line));
    drop(client);
    let mail = Mail::start(1);
    let lost = async {
        let mut number = 0;
        while line.go_on_with_rest() != Written::Lost {
            mail.send([(&ours, frame(number, 3_000))]);
            number += 1;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The task was woken to see it.
        ours.waiting().ready().await;
    };
    tokio::time::timeout(PATIENCE, lost).await.expect("it shows");
}

#[tokio::test]
async fn pings_of_one_who_does_not_read_are_not_all_answered() {
    let Pair { line, mut incoming, client } = pair().await;
    // So that nothing leaves any more.
    let full = Client::carried_by(Arc::<Line>::clone(&line));
    Mail::start(1).send([(&full, frame(0, 4 << 20))]);
    let full = tokio::time::timeout(PATIENCE, async {
        while !matches!(line.go_on(full.waiting()), Written::Blocked(_)) {
            tokio::task::yield_now().await;
        }
        line.waiting_bytes()
    });
    let before = full.await.unwrap();
    let mut theirs = speaking(client).await;
    for _ in 0..1_000 {
        theirs.send(Message::Ping(Bytes::from_static(&[7; 125]))).await.unwrap();
        let heard = tokio::time::timeout(PATIENCE, incoming.next(&line)).await.unwrap();
        assert!(matches!(heard, Ok(Message::Ping(_))));
    }
    let added = line.waiting_bytes().saturating_sub(before);
    assert!(added < 20_000, "{added}");
}

#[tokio::test]
async fn who_sends_at_line_rate_is_read_no_faster_than_anybody_plays() {
    let Pair { line, mut incoming, mut client } = pair().await;
    // Empty pieces of a message that never ends: nothing of it is ever a message.
    let flood = tokio::spawn(async move {
        let begin = [0x02, 0x80, 0, 0, 0, 0];
        let go_on = [0x00, 0x80, 0, 0, 0, 0].repeat(10_000);
        let _ = client.write_all(&begin).await;
        while client.write_all(&go_on).await.is_ok() {}
    });
    let mut held = 0;
    let began_at = tokio::time::Instant::now();
    while began_at.elapsed() < Duration::from_secs(2) {
        if let Some(until) = incoming.held_until() {
            held += 1;
            tokio::time::sleep_until(until).await;
            incoming.let_go();
        }
        let message = tokio::time::timeout(Duration::from_millis(100), incoming.next(&line)).await;
        assert!(message.is_err(), "no message comes of it: {message:?}");
    }
    // A burst of 256 KiB and 64 KiB/s.
    let read = incoming.read_bytes();
    assert!(held > 0 && read > 200_000 && read < 600_000, "{held} {read}");
    flood.abort();
}

#[tokio::test]
async fn a_message_in_a_thousand_pieces_comes_whole_and_a_longer_one_is_refused() {
    let Pair { line, mut incoming, mut client } = pair().await;
    let piece = |opcode: u8, content: &[u8]| {
        let mut bytes = vec![opcode, 0x80 | u8::try_from(content.len()).unwrap(), 0, 0, 0, 0];
        bytes.extend_from_slice(content);
        bytes
    };
    let mut bytes = piece(0x02, b"x");
    bytes.extend((0..998).flat_map(|_| piece(0x00, b"x")));
    bytes.extend(piece(0x80, b"x"));
    client.write_all(&bytes).await.unwrap();
    let message = tokio::time::timeout(PATIENCE, incoming.next(&line)).await.unwrap().unwrap();
    assert_eq!(message.into_data(), vec![b'x'; 1_000]);
    let mut bytes = piece(0x02, b"x");
    bytes.extend((0..200).flat_map(|_| piece(0x00, &[b'x'; 100])));
    client.write_all(&bytes).await.unwrap();
    let refused = tokio::time::timeout(PATIENCE, incoming.next(&line)).await.unwrap();
    assert!(matches!(refused, Err(Error::Capacity(_))), "{refused:?}");
}

#[tokio::test]
async fn a_line_on_which_writing_has_panicked_writes_no_more() {
    let Pair { line, mut client, .. } = pair().await;
    let ours = Client::carried_by(Arc::<Line>::clone(&line));
    line.poison();
    line.carry(ours.waiting(), &mut Hands::default());
    assert_eq!(line.send(OpCode::Control(Control::Ping), &[]), Written::Lost);
    drop((ours, line));
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}
