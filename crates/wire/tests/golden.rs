//! The files in `golden/` are examples for writers of other clients; this build must read and write exactly them.
//!
//! A deliberate change of the format raises a version and rewrites the files: run with `UPDATE_GOLDEN=1`.

use cell::CellId;
use glam::DVec3;
use motion::{Body, Buttons, Input, Mode};
use std::fmt::Write as _;
use std::path::Path;
use wire::stream::{BlockOrder, CellStream, Placed, Placement, Stance, Tier};
use wire::{
    Block, Bye, ClientMessage, ClosedParcel, Event, Fences, Frame, FrameHead, Hello, InputBatch, LotChanged,
    Missed, Pace, People, Person, Ping, PlanetSpec, Pong, Refused, Said, Say, ServerMessage, Welcome, WhoIs,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// Compares with the golden file and gives its text.
fn check_golden(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("golden files can be written");
    }
    let golden = std::fs::read_to_string(&path).expect("golden files are there");
    assert_eq!(text, golden, "{name} has changed");
    golden
}

/// Eighths of a lattice cell that a body at 1 m/s goes between two sends.
const STRIDE: u32 = 46;

/// A walker who turns, a jumper, one who leaves, one who comes, one who swims and sinks.
fn sends() -> Vec<Vec<Placed>> {
    let body = |entity_id, i, j, facing| Placement { entity_id, i, j, facing, ..Placement::default() };
    let up = |placement, stance, height| Placement { stance, height, ..placement };
    let sends = [
        vec![body(7, 100, 200, 0), body(9, 1000, 5, 0), body(300, 512, 512, 255)],
        vec![body(7, 117, 200, 0), up(body(9, 1000, 5, 0), Stance::Airborne, 29), body(300, 512, 512, 255)],
        vec![body(7, 134, 201, 8), up(body(9, 1000, 5, 0), Stance::Airborne, 70), body(300, 512, 512, 255)],
        vec![body(7, 151, 204, 8), body(9, 1000, 5, 250), body(70_000, 0, 1023, 128)],
        vec![
            body(7, 168, 207, 8),
            body(9, 1000, 5, 250),
            up(body(70_000, 0, 1023, 128), Stance::Swimming, 0),
        ],
        vec![body(7, 185, 210, 8), up(body(70_000, 0, 1023, 128), Stance::Diving, -130)],
        vec![body(7, 185, 210, 8), up(body(70_000, 0, 1023, 128), Stance::Diving, -96)],
        vec![],
    ];
    // Only the first walks when it begins.
    let placed =
        |placement: Placement| Placed { placement, speed: if placement.entity_id == 7 { 48 } else { 0 } };
    sends.into_iter().map(|bodies| bodies.into_iter().map(placed).collect()).collect()
}

#[test]
fn the_golden_stream_is_written_and_read_as_ever() {
    let cell = CellId::from_point(DVec3::new(0.9, 0.2, 0.3)).parent(16);
    let mut sender = CellStream::sender(cell, 1);
    let mut text = format!(
        "# The stream of cell {:016x} at depth 1. Each send: the delta's bytes, those of the keyframe of the same\n\
         # state (both without the block's head), and the bodies after it.\n\
         # body <entity id> i j facing stance height\n",
        cell.raw()
    );
    for (send, bodies) in sends().iter().enumerate() {
        let (mut delta, mut key) = (vec![], vec![]);
        // Of the two who go, 9 has only gone to another cell.
        assert!(sender.advance(bodies, STRIDE, |id| id != 9, &mut delta));
        sender.keyframe(&mut key);
        writeln!(text, "send {send}\ndelta {}\nkey {}", hex(&delta), hex(&key)).unwrap();
        for record in sender.records() {
            let Placement { entity_id, i, j, facing, stance, height } = record.placement;
            writeln!(text, "body {entity_id} {i} {j} {facing} {stance:?} {height}").unwrap();
        }
    }
    let golden = check_golden("stream.txt", &text);

    let blocks = |word: &str| -> Vec<Vec<u8>> {
        golden.lines().filter_map(|line| line.strip_prefix(word)).map(unhex).collect()
    };
    let mut follower = CellStream::sender(cell, 1);
    let mut gone = vec![];
    for (send, (delta, key)) in blocks("delta ").iter().zip(blocks("key ")).enumerate() {
        let order = |is_key| BlockOrder { is_key, sequence: send as u8 + 1 };
        let mut beginner = CellStream::new(cell, 1);
        beginner.apply(order(true), &key, |_, _| ()).unwrap();
        let mut note =
            |record: &wire::stream::Record, has_left| gone.push((record.placement.entity_id, has_left));
        follower.apply(order(false), delta, &mut note).unwrap();
        assert_eq!(beginner, follower, "send {send}");
        let placements: Vec<_> = follower.records().iter().map(|record| record.placement).collect();
        let told: Vec<_> = sends()[send].iter().map(|placed| placed.placement).collect();
        assert_eq!(placements, told, "send {send}");
    }
    assert_eq!(gone, [(300, true), (9, false), (7, true), (70_000, true)]);
}

fn body() -> Body {
    Body {
        position: DVec3::new(796_000.25, -1_024.5, 3.75),
        velocity: DVec3::new(0.0, 3.0, -0.5),
        facing: DVec3::new(0.0, 0.6, 0.8).as_vec3().as_dvec3(),
        mode: Mode::Airborne,
    }
}

fn client_messages() -> Vec<ClientMessage> {
    let input = |buttons, heading| Input { buttons: Buttons(buttons), heading };
    vec![
        ClientMessage::Hello(Hello {
            protocol_version: 1,
            protocol_hash: 0x0123_4567_89ab_cdef,
            access_token: "header.claims.signature".into(),
            resume_token: (0..16).collect(),
            arrive_at: Some(wire::Place { latitude_deg: 12.5, longitude_deg: -45.25 }),
        }),
        ClientMessage::Input(InputBatch {
            first_seq: 1000,
            inputs: vec![input(1, [32_767, 0, 0]), input(17, [0, -23_170, 23_170]), input(0, [0, 0, 0])],
        }),
        ClientMessage::Say(Say { text: "hello, world".into() }),
        ClientMessage::WhoIs(WhoIs { entity_ids: vec![7, 300, 70_000] }),
        ClientMessage::Ping(Ping { client_time_ms: 1234.5 }),
        ClientMessage::Leave,
        ClientMessage::Missed(Missed { cells: vec![0x89c2_5985_0000_0000] }),
    ]
}

fn server_messages(key: &[u8], cell: CellId) -> Vec<ServerMessage<'_>> {
    let head = FrameHead { tick: 90, is_restart: true, level: 14, last_input_seq: 1002, own: body() };
    let order = BlockOrder { is_key: true, sequence: 1 };
    vec![
        ServerMessage::Welcome(Welcome {
            protocol_version: 1,
            protocol_hash: 0x0123_4567_89ab_cdef,
            entity_id: 7,
            resume_token: (16..32).collect(),
            resumed: true,
            tick_hz: 30,
            send_hz: 10,
            tick: 87,
            last_input_seq: 999,
            planet: Some(PlanetSpec { seed: 1, shift: 3, generator_version: 1 }),
            server_time_ms: 1_700_000_000_000.0,
            body: Some((&body()).into()),
        }),
        ServerMessage::Frame(Frame {
            head,
            dropped: vec![cell.next().expect("not the last cell")],
            blocks: vec![Block { cell, tier: Tier::Mid, interval: 2, order, bytes: key }],
        }),
        ServerMessage::Said(Said {
            entity_id: 7,
            display_name: "Ann".into(),
            text: "hello, world".into(),
            server_time_ms: 1_700_000_000_000.0,
        }),
        ServerMessage::People(People {
            people: vec![Person {
                entity_id: 7,
                account_id: "0190b5a4-0000-7000-8000-000000000001".into(),
                display_name: "Ann".into(),
                color: 0x33_66_99,
            }],
        }),
        ServerMessage::Pong(Pong { client_time_ms: 1234.5, server_time_ms: 1_700_000_000_000.0, tick: 90 }),
        ServerMessage::Refused(Refused { code: "too_fast".into(), detail: "slow down".into() }),
        ServerMessage::LotChanged(LotChanged {
            lot_token: "89c25985".into(),
            owner_account_id: "0190b5a4-0000-7000-8000-000000000001".into(),
            owner_name: "Ann".into(),
            lot_name: "Meadow".into(),
        }),
        ServerMessage::Bye(Bye { code: "too_slow".into(), detail: "bye".into(), may_reconnect: true }),
        ServerMessage::Event(Event {
            kind: "market.outbid".into(),
            event_id: "0190b5a4-0000-7000-8000-00000000000e".into(),
            at_us: 1_700_000_000_000_000,
            data_json: r#"{"parcel":"89c25985","price_minor":1200,"currency":"coin"}"#.into(),
        }),
        ServerMessage::Fences(Fences {
            is_restart: true,
            after_input_seq: 1002,
            closed: vec![ClosedParcel {
                parcel: 0x89c2_5985_0000_0000,
                cells: vec![0x89c2_5985_0000_0000, 0x89c2_5987_0000_0000],
            }],
            opened_cells: vec![0x89c2_598f_0000_0000],
        }),
        ServerMessage::Pace(Pace { stretch: 1.25, from_tick: 90 }),
    ]
}

#[test]
fn the_golden_messages_are_written_and_read_as_ever() {
    let cell = CellId::from_point(body().position).parent(14);
    let mut stream = CellStream::sender(cell, 0);
    stream.advance(&sends()[0], STRIDE, |_| true, &mut vec![]);
    let mut key = vec![];
    stream.keyframe(&mut key);
    let (to_server, to_client) = (client_messages(), server_messages(&key, cell));

    let mut text = String::from("# One message of each kind: its bytes, and what they say.\n");
    for message in &to_server {
        writeln!(text, "{:?} {}\n    {message:?}", message.kind(), hex(&message.encode())).unwrap();
    }
    for message in &to_client {
        writeln!(text, "{:?} {}\n    {message:?}", message.kind(), hex(&message.encode())).unwrap();
    }
    let golden = check_golden("messages.txt", &text);

    let mut lines = golden.lines().filter_map(|line| line.split_once(' ')).filter(|(kind, _)| kind.len() > 1);
    for message in &to_server {
        assert_eq!(ClientMessage::decode(&unhex(lines.next().unwrap().1)).as_ref(), Ok(message));
    }
    for message in &to_client {
        assert_eq!(ServerMessage::decode(&unhex(lines.next().unwrap().1)).as_ref(), Ok(message));
    }
}
