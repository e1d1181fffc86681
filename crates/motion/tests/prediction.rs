//! A predicting client and the server agree as long as they apply the same inputs.

use glam::DVec3;
use motion::{Body, Buttons, Ground, Input, Pace, Predictor, Surface, WALK_M_S, step};

struct Level;

impl Ground for Level {
    fn surface(&self, _: DVec3) -> Surface {
        Surface::by_the_sea(10.0)
    }

    fn radius_m(&self) -> f64 {
        796_375.0
    }
}

const FORWARD: Input = Input { buttons: Buttons::FORWARD, heading: [0, 32_767, 0] };

#[test]
fn a_prediction_confirmed_late_needs_no_correction() {
    let mut server = Body::standing_at(DVec3::X, &Level);
    let mut client = Predictor::new(server, 40, Pace::default());
    for n in 0..60_u32 {
        assert_eq!(client.step(FORWARD, &Level), 41 + n);
        if n >= 6 {
            step(&mut server, FORWARD, &Level, Pace::default());
            assert_eq!(client.reconcile(server, 41 + n - 6, &Level), 0.0);
        }
    }
    assert_eq!(client.inputs_after(97).collect::<Vec<_>>(), [FORWARD; 3]);
}

#[test]
fn a_push_by_the_server_is_taken_over_and_the_unanswered_steps_repeated() {
    let mut server = Body::standing_at(DVec3::X, &Level);
    let mut client = Predictor::new(server, 0, Pace::default());
    for _ in 0..90 {
        client.step(FORWARD, &Level);
    }
    for _ in 0..80 {
        step(&mut server, FORWARD, &Level, Pace::default());
    }
    server.position += DVec3::Z * 5.0;
    let correction_m = client.reconcile(server, 80, &Level);
    assert!((correction_m - 5.0).abs() < 0.01, "{correction_m}");
    let ahead_m = (client.body().position - server.position).length();
    assert!((ahead_m - 10.0 * Pace::default().step_s() * WALK_M_S).abs() < 0.01, "{ahead_m}");
}

#[test]
fn an_answer_to_inputs_never_made_starts_the_prediction_again() {
    let server = Body::standing_at(DVec3::X, &Level);
    let mut client = Predictor::new(server, 5, Pace::default());
    client.step(FORWARD, &Level);
    client.reconcile(server, 900, &Level);
    assert_eq!((client.last_seq(), client.body()), (900, &server));
    assert_eq!(client.inputs_after(0).len(), 0);
}

#[test]
fn unanswered_inputs_are_bounded() {
    let mut client = Predictor::new(Body::standing_at(DVec3::X, &Level), 0, Pace::default());
    for _ in 0..10_000 {
        client.step(FORWARD, &Level);
    }
    assert_eq!(client.inputs_after(0).len(), 300);
}
