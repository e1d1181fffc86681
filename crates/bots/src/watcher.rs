//! A bot that does all that a page does: decodes everything, predicts its own body, talks and listens.

use crate::client::{Client, ClientError, Event};
use crate::mind::Mind;
use crate::tally::Tally;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout_at};
use wire::INPUT_BATCH_MAX;

/// How often a bot wakes to move, and sends what it did.
const WAKE: Duration = Duration::from_millis(100);
const PING_EVERY_WAKES: u64 = 10;
const WAKES_PER_S: u64 = 10;
/// How long a bot waits for the server's good bye.
const FAREWELL: Duration = Duration::from_secs(5);
/// A prediction this far off counts as corrected.
const CORRECTION_M: f64 = 0.01;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Some are not in yet.
    Entering,
    /// What happens now counts.
    Measuring,
    /// Everybody leaves.
    Leaving,
}

/// One visit and what is seen in it.
pub(crate) struct Watcher<'c> {
    client: &'c mut Client,
    mind: &'c mut Mind,
    tally: Tally,
    started: Instant,
    measured_from: Instant,
    frames: u64,
    has_restarted: bool,
    frame_at: Option<Instant>,
    first_bytes: u64,
    second_bytes: u64,
    peak_bytes: u64,
    /// Steps due and not yet made, a part of one included.
    due_steps: f64,
    acted_at: Instant,
}

impl<'c> Watcher<'c> {
    pub(crate) fn new(client: &'c mut Client, mind: &'c mut Mind) -> Self {
        let now = Instant::now();
        let bytes = client.received_bytes();
        Self {
            client,
            mind,
            tally: Tally::default(),
            started: now,
            measured_from: now,
            frames: 0,
            has_restarted: false,
            frame_at: None,
            first_bytes: bytes,
            second_bytes: bytes,
            peak_bytes: 0,
            due_steps: 0.0,
            acted_at: now,
        }
    }

    /// Walks about until the run is over or, if given, `until`; then gives what was seen since the measurement began.
    /// An error is the reason why it ended early.
    pub(crate) async fn stay(
        mut self,
        number: usize,
        phase: &mut watch::Receiver<Phase>,
        until: Option<Instant>,
    ) -> (Tally, Result<(), String>) {
        let outcome = self.live(number, phase, until).await;
        let seconds = self.measured_from.elapsed().as_secs_f64();
        let bytes = self.client.received_bytes() - self.first_bytes;
        self.tally.note_client(seconds, self.frames, bytes, self.peak_bytes);
        self.tally.watchers += 1;
        self.tally.watcher_seconds += seconds;
        self.tally.watched_bytes += bytes;
        if let Err(reason) = &outcome {
            self.tally.note_drop(reason.clone());
        }
        (self.tally, outcome)
    }

    async fn live(
        &mut self,
        number: usize,
        phase: &mut watch::Receiver<Phase>,
        until: Option<Instant>,
    ) -> Result<(), String> {
        // Bots that came in the same moment do not all wake in the same moment.
        let offset = WAKE.mul_f64((number % 97) as f64 / 97.0);
        let mut wakes = interval_at(self.started + offset, WAKE);
        wakes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut wake = number as u64 % PING_EVERY_WAKES;
        let now = *phase.borrow_and_update();
        if now == Phase::Leaving {
            return Ok(());
        }
        let mut is_measuring = now == Phase::Measuring;
        loop {
            tokio::select! {
                event = self.client.next() => self.note(event.map_err(|error| error.to_string())?)?,
                _ = wakes.tick() => {
                    if until.is_some_and(|until| Instant::now() >= until) {
                        return Ok(());
                    }
                    self.act(wake).await.map_err(|error| error.to_string())?;
                    wake += 1;
                    if wake.is_multiple_of(WAKES_PER_S) {
                        self.end_second();
                    }
                }
                Ok(()) = phase.changed() => match *phase.borrow_and_update() {
                    Phase::Leaving => return Ok(()),
                    Phase::Measuring if !is_measuring => {
                        is_measuring = true;
                        self.measure();
                    }
                    Phase::Entering | Phase::Measuring => {}
                },
            }
        }
    }

    /// Forgets what was counted and begins anew.
    fn measure(&mut self) {
        self.tally = Tally::default();
        self.measured_from = Instant::now();
        self.frames = 0;
        self.frame_at = None;
        self.first_bytes = self.client.received_bytes();
        self.second_bytes = self.first_bytes;
        self.peak_bytes = 0;
    }

    fn end_second(&mut self) {
        let bytes = self.client.received_bytes();
        self.peak_bytes = self.peak_bytes.max(bytes - self.second_bytes);
        self.second_bytes = bytes;
    }

    /// Moves on by the time since the last call, and now and then talks and pings.
    async fn act(&mut self, wake: u64) -> Result<(), ClientError> {
        let now = Instant::now();
        let tick_hz = f64::from(self.client.pace().hz()) / self.client.dilation();
        self.due_steps += (now - self.acted_at).as_secs_f64() * tick_hz;
        self.acted_at = now;
        let steps = (self.due_steps as usize).min(INPUT_BATCH_MAX);
        // What does not fit is lost time, as it is to a page that was asleep.
        self.due_steps = (self.due_steps - steps as f64).min(1.0);
        for _ in 0..steps {
            let (buttons, look) = self.mind.step(self.client.body().position);
            self.client.step(buttons, look);
        }
        self.tally.inputs += steps as u64;
        self.client.send_inputs().await?;
        if let Some(text) = self.mind.talk(self.started.elapsed()) {
            self.client.say(text).await?;
        }
        if wake.is_multiple_of(PING_EVERY_WAKES) {
            self.client.ping(self.started.elapsed().as_secs_f64() * 1e3).await?;
        }
        Ok(())
    }

    fn note(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Frame { correction_m, gaps, is_restart, .. } => {
                if is_restart && std::mem::replace(&mut self.has_restarted, true) {
                    self.tally.restarts += 1;
                }
                self.frames += 1;
                self.tally.frames_with_gaps += u64::from(gaps > 0);
                self.tally.predicted += 1;
                self.tally.corrections += u64::from(correction_m > CORRECTION_M);
                self.tally.correction_max_m = self.tally.correction_max_m.max(correction_m);
                self.look_around();
            }
            Event::Pong(pong) => {
                let took_s = self.started.elapsed().as_secs_f64() - pong.client_time_ms / 1e3;
                self.tally.round_trips.note(Duration::try_from_secs_f64(took_s).unwrap_or_default());
            }
            Event::Said(_) => self.tally.heard += 1,
            Event::Refused(refused) => {
                tracing::debug!(code = refused.code, detail = refused.detail, "refused");
                *self.tally.refused.entry(refused.code).or_default() += 1;
            }
            Event::Bye(bye) => return Err(format!("bye {}: {}", bye.code, bye.detail)),
            Event::People(_)
            | Event::LotChanged(_)
            | Event::Happened(_)
            | Event::Fences(_)
            | Event::Stretched(_) => {}
        }
        Ok(())
    }

    /// Counts who is in view, of which tier, and who of them was told anew in the frame just taken in.
    fn look_around(&mut self) {
        let now = Instant::now();
        let since_s = self.frame_at.replace(now).map(|before| now - before);
        if let Some(since) = since_s {
            self.tally.frame_intervals.note(since);
        }
        let since_s = since_s.unwrap_or_default().as_secs_f64();
        let mut seen = 0;
        for (tier, is_new) in self.client.sights() {
            let tier = tier as usize;
            seen += 1;
            self.tally.body_seconds[tier] += since_s;
            self.tally.updates[tier] += u64::from(is_new);
        }
        self.tally.seen += seen;
        self.tally.seen_frames += 1;
        self.tally.seen_max = self.tally.seen_max.max(seen);
    }
}

/// Leaves, and waits for the server to say so.
pub(crate) async fn farewell(client: &mut Client) -> Result<(), String> {
    client.leave().await.map_err(|error| error.to_string())?;
    let patience = Instant::now() + FAREWELL;
    loop {
        match timeout_at(patience, client.next()).await {
            Ok(Ok(Event::Bye(_))) => return Ok(()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err("the server did not say good bye".into()),
        }
    }
}
