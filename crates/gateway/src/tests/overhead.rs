//! What everything around a handler costs: `bench/run edge`.

use std::num::NonZeroU32;
use std::time::Instant;

use axum::Json;
use limits::Policies;

use super::*;

const PATH: &str = "/api/v1/planet/progress";
const REQUESTS: u32 = 2_000;
const ROUNDS: usize = 15;

/// One request after the other; microseconds of one.
async fn time(app: &Router) -> f64 {
    let began_at = Instant::now();
    for _ in 0..REQUESTS {
        let mut asked = request(Method::GET, PATH, "");
        asked.extensions_mut().insert(peer::Peer { address: [127, 0, 0, 1].into(), is_encrypted: false });
        let answer = app.clone().oneshot(asked).await.expect("the router never fails");
        assert_eq!(answer.status(), 200);
        let _ = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
    }
    began_at.elapsed().as_secs_f64() * 1e6 / f64::from(REQUESTS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test]
#[ignore = "a measurement"]
async fn the_stack_against_a_bare_router() {
    let generous = Policies::default().times(NonZeroU32::new(1_000_000).unwrap());
    let world = World::with(plain(), Limiter::in_process(generous), layers::REQUEST_TIME_MAX).await;
    let answer =
        || std::future::ready(Json(serde_json::json!({"state": "ready", "stage": "ready", "percent": 100})));
    let bare = Router::new().route(PATH, get(answer));
    let (mut alone, mut around, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (one, other) = (time(&bare).await, time(&world.app).await);
        alone.push(one);
        around.push(other);
        ratios.push(other / one);
    }
    println!(
        "bare router {:.1} µs, whole stack {:.1} µs, ratio {:.2} (medians of {ROUNDS} paired rounds)",
        median(alone),
        median(around),
        median(ratios)
    );
}
