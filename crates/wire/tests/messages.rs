//! Every kind of message survives the wire; bytes that are no message are refused.

use cell::CellId;
use glam::DVec3;
use motion::{Body, Buttons, Input, Mode};
use proptest::prelude::*;
use wire::stream::{BlockOrder, Tier};
use wire::{
    Block, Bye, CELL_LEVEL_MAX, CLOSED_CELLS_MAX, ClientMessage, ClosedParcel, DecodeError, Event, Fences,
    Frame, FrameHead, Hello, INPUT_BATCH_MAX, INTERVALS, InputBatch, Kind, LotChanged, MISSED_MAX, Missed,
    PROTOCOL_HASH, PROTOCOL_VERSION, Pace, People, Person, Ping, Place, PlanetSpec, Pong, Refused, Said, Say,
    ServerMessage, VersionMismatch, WHO_IS_MAX, Welcome, WhoIs, check_version,
};

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |number| number.is_finite())
}

fn any_vector() -> impl Strategy<Value = DVec3> {
    [finite(), finite(), finite()].prop_map(DVec3::from_array)
}

fn any_body() -> impl Strategy<Value = Body> {
    let facing = [-1.0..1.0_f32, -1.0..1.0, -1.0..1.0];
    (any_vector(), any_vector(), facing, 0..3_u8).prop_map(|(position, velocity, facing, mode)| Body {
        position,
        velocity,
        facing: glam::Vec3::from_array(facing).as_dvec3(),
        mode: Mode::try_from_u8(mode).expect("0 to 2"),
    })
}

fn any_cell() -> impl Strategy<Value = CellId> {
    (any_vector(), 0..=30_u8).prop_map(|(point, level)| CellId::from_point(point).parent(level))
}

fn any_client_message() -> impl Strategy<Value = ClientMessage> {
    let input = (any::<u8>(), any::<[i16; 3]>())
        .prop_map(|(buttons, heading)| Input { buttons: Buttons(buttons), heading });
    let arrive_at = prop::option::of((finite(), finite()));
    prop_oneof![
        (any::<u32>(), any::<u64>(), "[ -~]{0,3000}", any::<[u8; 16]>(), arrive_at).prop_map(
            |(protocol_version, protocol_hash, access_token, resume_token, arrive_at)| {
                let arrive_at =
                    arrive_at.map(|(latitude_deg, longitude_deg)| Place { latitude_deg, longitude_deg });
                let resume_token = resume_token.to_vec();
                ClientMessage::Hello(Hello {
                    protocol_version,
                    protocol_hash,
                    access_token,
                    resume_token,
                    arrive_at,
                })
            }
        ),
        (0..u32::MAX - 16, prop::collection::vec(input, 1..=INPUT_BATCH_MAX))
            .prop_map(|(first_seq, inputs)| ClientMessage::Input(InputBatch { first_seq, inputs })),
        ".{0,240}".prop_map(|text| ClientMessage::Say(Say { text })),
        prop::collection::vec(any::<u32>(), 0..=WHO_IS_MAX)
            .prop_map(|entity_ids| ClientMessage::WhoIs(WhoIs { entity_ids })),
        finite().prop_map(|client_time_ms| ClientMessage::Ping(Ping { client_time_ms })),
        Just(ClientMessage::Leave),
        prop::collection::vec(any::<u64>(), 0..=MISSED_MAX)
            .prop_map(|cells| ClientMessage::Missed(Missed { cells })),
    ]
}

/// The blocks' bytes, from which frames are made: cells at depths below the stream's level.
type FrameParts = (FrameHead, Vec<CellId>, Vec<(CellId, u32, Vec<u8>)>);

fn frame_of((head, dropped, blocks): &FrameParts) -> ServerMessage<'_> {
    let blocks = blocks.iter().map(|(cell, chance, bytes)| Block {
        cell: *cell,
        tier: Tier::ALL[(chance >> 1) as usize % 3],
        interval: INTERVALS[(chance >> 4) as usize % 8],
        order: BlockOrder { is_key: chance & 1 == 1, sequence: (chance >> 8) as u8 },
        bytes,
    });
    ServerMessage::Frame(Frame { head: *head, dropped: dropped.clone(), blocks: blocks.collect() })
}

fn any_frame_parts() -> impl Strategy<Value = FrameParts> {
    (0..=CELL_LEVEL_MAX).prop_flat_map(|level| {
        let head = (any::<u32>(), any::<bool>(), any::<u32>(), any_body(), any::<bool>()).prop_map(
            move |(tick, is_restart, last_input_seq, mut own, is_at_rest)| {
                if is_at_rest {
                    own.velocity = DVec3::ZERO;
                }
                FrameHead { tick, is_restart, level, last_input_seq, own }
            },
        );
        let cell = (any_vector(), 0..=2_u8)
            .prop_map(move |(point, depth)| CellId::from_point(point).parent(level + 2 * depth));
        let bytes = prop_oneof![
            9 => prop::collection::vec(any::<u8>(), 0..50),
            1 => prop::collection::vec(any::<u8>(), 120..20_000),
        ];
        let block = (cell, any::<u32>(), bytes);
        (head, prop::collection::vec(any_cell(), 0..20), prop::collection::vec(block, 0..20))
    })
}

/// Up to as many cells as are allowed, each parcel of one to three.
fn any_fences() -> impl Strategy<Value = Fences> {
    let parcel = (any::<u64>(), prop::collection::vec(any::<u64>(), 1..=3))
        .prop_map(|(parcel, cells)| ClosedParcel { parcel, cells });
    let closed = prop::collection::vec(parcel, 0..=CLOSED_CELLS_MAX / 3);
    let opened_cells = prop::collection::vec(any::<u64>(), 0..=CLOSED_CELLS_MAX);
    (any::<bool>(), any::<u32>(), closed, opened_cells).prop_map(
        |(is_restart, after_input_seq, closed, opened_cells)| Fences {
            is_restart,
            after_input_seq,
            closed,
            opened_cells,
        },
    )
}

fn any_control() -> impl Strategy<Value = ServerMessage<'static>> {
    let person = (any::<u32>(), "[0-9a-f-]{36}", ".{1,32}", any::<u32>()).prop_map(
        |(entity_id, account_id, display_name, color)| Person { entity_id, account_id, display_name, color },
    );
    let welcome = (any::<u32>(), any::<[u8; 16]>(), any::<bool>(), any_body(), any::<u64>());
    prop_oneof![
        welcome.prop_map(|(entity_id, resume_token, resumed, body, seed)| {
            ServerMessage::Welcome(Welcome {
                protocol_version: PROTOCOL_VERSION,
                protocol_hash: PROTOCOL_HASH,
                entity_id,
                resume_token: resume_token.to_vec(),
                resumed,
                tick_hz: 30,
                send_hz: 10,
                tick: seed,
                last_input_seq: entity_id,
                planet: Some(PlanetSpec { seed, shift: 3, generator_version: 1 }),
                server_time_ms: 1.0,
                body: Some((&body).into()),
            })
        }),
        (any::<u32>(), ".{1,32}", ".{1,240}", finite()).prop_map(
            |(entity_id, display_name, text, server_time_ms)| ServerMessage::Said(Said {
                entity_id,
                display_name,
                text,
                server_time_ms
            })
        ),
        prop::collection::vec(person, 0..=WHO_IS_MAX)
            .prop_map(|people| ServerMessage::People(People { people })),
        (finite(), finite(), any::<u64>()).prop_map(|(client_time_ms, server_time_ms, tick)| {
            ServerMessage::Pong(Pong { client_time_ms, server_time_ms, tick })
        }),
        ("[a-z_]{1,30}", ".{0,100}")
            .prop_map(|(code, detail)| ServerMessage::Refused(Refused { code, detail })),
        ("[0-9a-f]{1,16}", "[0-9a-f-]{36}", ".{0,32}", ".{0,64}").prop_map(
            |(lot_token, owner_account_id, owner_name, lot_name)| ServerMessage::LotChanged(LotChanged {
                lot_token,
                owner_account_id,
                owner_name,
                lot_name
            })
        ),
        ("[a-z_]{1,30}", ".{0,100}", any::<bool>()).prop_map(|(code, detail, may_reconnect)| {
            ServerMessage::Bye(Bye { code, detail, may_reconnect })
        }),
        ("[a-z_.]{1,30}", "[0-9a-f-]{36}", any::<i64>(), "[ -~]{0,4096}").prop_map(
            |(kind, event_id, at_us, data_json)| ServerMessage::Event(Event {
                kind,
                event_id,
                at_us,
                data_json
            })
        ),
        any_fences().prop_map(ServerMessage::Fences),
        (1.0..2.0_f64, any::<u64>())
            .prop_map(|(stretch, from_tick)| ServerMessage::Pace(Pace { stretch, from_tick })),
    ]
}

proptest! {
    #[test]
    fn client_messages_survive_the_wire_within_their_limits(message in any_client_message()) {
        let bytes = message.encode();
        prop_assert!(bytes.len() <= message.kind().max_bytes(), "{} bytes", bytes.len());
        prop_assert_eq!(ClientMessage::decode(&bytes), Ok(message));
    }

    #[test]
    fn server_messages_survive_the_wire_within_their_limits(message in any_control()) {
        let bytes = message.encode();
        prop_assert!(bytes.len() <= message.kind().max_bytes(), "{} bytes", bytes.len());
        prop_assert_eq!(ServerMessage::decode(&bytes), Ok(message));
    }

    #[test]
    fn frames_survive_the_wire(parts in any_frame_parts()) {
        let message = frame_of(&parts);
        let bytes = message.encode();
        let ServerMessage::Frame(frame) = &message else { unreachable!("it was made as one") };
        prop_assert_eq!(FrameHead::peek(&bytes), Ok(frame.head));
        let of_blocks: usize = frame.blocks.iter().map(Block::byte_count).sum();
        let bare = Frame { blocks: vec![], ..frame.clone() };
        prop_assert_eq!(ServerMessage::Frame(bare).encode().len() + of_blocks, bytes.len());
        prop_assert_eq!(ServerMessage::decode(&bytes), Ok(message));
    }

    #[test]
    fn a_cut_frame_is_refused_or_holds_the_blocks_before_the_cut(
        parts in any_frame_parts(),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = frame_of(&parts).encode();
        let cut = &bytes[..cut.index(bytes.len())];
        if let Ok(message @ ServerMessage::Frame(_)) = ServerMessage::decode(cut) {
            prop_assert_eq!(message.encode(), cut);
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        payload in prop::collection::vec(any::<u8>(), 0..6_000),
    ) {
        let mut bytes = vec![kind as u8];
        bytes.extend(payload);
        let client = ClientMessage::decode(&bytes);
        let server = ServerMessage::decode(&bytes);
        let is_too_long = bytes.len() > kind.max_bytes();
        let too_long = DecodeError::TooLong { kind, bytes: bytes.len(), max: kind.max_bytes() };
        if is_too_long {
            prop_assert_eq!(client, Err(too_long.clone()));
            prop_assert_eq!(server, Err(too_long));
        } else if (kind as u8) < 64 {
            prop_assert_eq!(server, Err(DecodeError::UnknownKind(kind as u8)));
        } else {
            prop_assert_eq!(client, Err(DecodeError::UnknownKind(kind as u8)));
        }
    }
}

#[test]
fn bytes_without_a_known_kind_are_refused() {
    assert_eq!(ClientMessage::decode(&[]), Err(DecodeError::Empty));
    assert_eq!(ServerMessage::decode(&[]), Err(DecodeError::Empty));
    for kind in (0..=255_u8).filter(|kind| Kind::try_from_u8(*kind).is_none()) {
        assert_eq!(ClientMessage::decode(&[kind, 1, 2]), Err(DecodeError::UnknownKind(kind)));
        assert_eq!(ServerMessage::decode(&[kind, 1, 2]), Err(DecodeError::UnknownKind(kind)));
    }
}

#[test]
fn kinds_are_told_apart_by_their_numbers_and_directions() {
    for kind in Kind::ALL {
        assert_eq!(Kind::try_from_u8(kind as u8), Some(kind));
    }
}

#[test]
fn malformed_inputs_and_lists_are_refused() {
    let refused = |bytes: &[u8]| matches!(ClientMessage::decode(bytes), Err(DecodeError::Malformed { .. }));
    let whole = ClientMessage::Input(InputBatch { first_seq: 1, inputs: vec![Input::NEUTRAL] }).encode();
    assert!(refused(&whole[..whole.len() - 1]), "cut");
    assert!(refused(&[whole.as_slice(), &[0]].concat()), "too long");
    assert!(refused(&[2, 1, 0, 0, 0, 0]), "no input");
    assert!(refused(&[&[2, 1, 0, 0, 0, 17][..], &[0; 112]].concat()), "17 inputs");
    assert!(refused(&[&[2, 255, 255, 255, 255, 1][..], &[0; 7]].concat()), "sequence overflow");
    let too_many = WhoIs { entity_ids: vec![1; WHO_IS_MAX + 1] };
    assert!(refused(&ClientMessage::WhoIs(too_many).encode()), "65 ids");
    let mut too_many = ClientMessage::Missed(Missed { cells: vec![1; MISSED_MAX] }).encode();
    too_many[2] += 8;
    too_many.extend([0; 8]);
    assert!(ClientMessage::decode(&too_many).is_err(), "65 cells");
}

#[test]
fn hellos_of_another_version_or_build_are_told_so() {
    let hello =
        Hello { protocol_version: PROTOCOL_VERSION, protocol_hash: PROTOCOL_HASH, ..Hello::default() };
    assert_eq!(check_version(&hello), Ok(()));
    let other = Hello { protocol_version: PROTOCOL_VERSION + 1, ..hello.clone() };
    let mismatch = VersionMismatch::Version { client: PROTOCOL_VERSION + 1 };
    assert_eq!(check_version(&other), Err(mismatch));
    assert_eq!(mismatch.to_bye().code, "protocol_mismatch");
    let other = Hello { protocol_hash: PROTOCOL_HASH ^ 1, ..hello };
    assert_eq!(check_version(&other), Err(VersionMismatch::Hash));
}

#[test]
fn a_body_state_with_nonsense_in_it_is_no_body() {
    let ground = |state: wire::BodyState| state.to_body();
    let body = Body { position: DVec3::X, velocity: DVec3::Y, facing: DVec3::Z, mode: Mode::Swimming };
    let state = wire::BodyState::from(&body);
    assert_eq!(ground(state), Some(body));
    assert_eq!(ground(wire::BodyState { mode: 3, ..state }), None);
    assert_eq!(ground(wire::BodyState { px: f64::NAN, ..state }), None);
    assert_eq!(ground(wire::BodyState { vy: f64::INFINITY, ..state }), None);
}
