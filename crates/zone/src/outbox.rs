//! The queue of messages on their way to one reader.
//!
//! Frames may be dropped (the next one starts the cells again from keyframes), control messages may not.
//! Order is kept among what is delivered. The last message is a Bye.
//!
//! What is sent costs by the number of sends, whatever is in them. So everything leaves with the frames, ten times a
//! second: control messages wake nobody unless someone waits for an answer. Frames are taken by the sending threads
//! ([`Post`](crate::post::Post)) where a [`Carrier`] has been named, and by a task of the connection elsewhere.

use crate::limits::{QUEUED_CONTROLS_MAX, QUEUED_EVENTS_MAX, QUEUED_FRAMES_MAX};
use crate::outgoing::{Carrier, Hands, Outgoing};
use crate::post::Batch;
use bytes::Bytes;
use sim::Frame;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Default)]
struct Queue {
    messages: VecDeque<Outgoing>,
    frames: usize,
    is_closed: bool,
    /// It waits for its turn with the sending threads.
    is_posted: bool,
    carrier: Option<Arc<dyn Carrier>>,
}

impl Queue {
    fn controls(&self) -> usize {
        self.messages.len() - self.frames
    }

    fn drop_frames(&mut self) {
        self.messages.retain(|message| matches!(message, Outgoing::Control(_)));
        self.frames = 0;
    }
}

/// What waits for one client.
#[derive(Default)]
pub struct Waiting {
    queue: Mutex<Queue>,
    ready: Notify,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.lock();
        f.debug_struct("Waiting").field("controls", &queue.controls()).field("frames", &queue.frames).finish()
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole after every statement, so a panic elsewhere while it was held does no harm.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all that waits, in order, into `messages`.
    pub fn take_all(&self, messages: &mut Vec<Outgoing>) {
        let mut queue = self.lock();
        queue.frames = 0;
        messages.extend(queue.messages.drain(..));
    }

    /// The next message if one is waiting.
    pub fn try_next(&self) -> Option<Outgoing> {
        let mut queue = self.lock();
        let message = queue.messages.pop_front()?;
        if matches!(message, Outgoing::Frame(_)) {
            queue.frames -= 1;
        }
        Some(message)
    }

    /// Whether everything has been taken and nothing will come.
    pub fn is_over(&self) -> bool {
        let queue = self.lock();
        queue.is_closed && queue.messages.is_empty()
    }

    /// Whether nothing will come after what waits.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Waits until something urgent has come, the end, or a [`Waiting::wake`]; frames count where there is no carrier.
    /// May come early.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    /// Wakes whoever waits for [`Waiting::ready`].
    pub fn wake(&self) {
        self.ready.notify_one();
    }

    /// By a sending thread.
    pub(crate) fn carry(&self, hands: &mut Hands) {
        let mut queue = self.lock();
        queue.is_posted = false;
        let carrier = queue.carrier.clone();
        drop(queue);
        match carrier {
            Some(carrier) => carrier.carry(self, hands),
            None => self.wake(),
        }
    }

    /// Nothing comes any more.
    pub(crate) fn break_off(&self) {
        let mut queue = self.lock();
        queue.is_closed = true;
        queue.messages.clear();
        queue.frames = 0;
        drop(queue);
        self.wake();
    }
}

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The writing end. Dropping it closes the queue.
pub(crate) struct Outbox(Arc<Waiting>);

/// The reading end.
pub(crate) struct OutboxReader(Arc<Waiting>);

impl Deref for OutboxReader {
    type Target = Waiting;

    fn deref(&self) -> &Waiting {
        &self.0
    }
}

pub(crate) fn outbox() -> (Outbox, OutboxReader) {
    let waiting = Arc::<Waiting>::default();
    (Outbox(Arc::clone(&waiting)), OutboxReader(waiting))
}

impl Outbox {
    /// Queues a frame, to leave when `batch` is posted; when [`QUEUED_FRAMES_MAX`] are waiting, drops them and this
    /// one.
    pub(crate) fn push_frame(&self, frame: Frame, batch: &mut Batch) -> Result<(), Full> {
        let mut queue = self.0.lock();
        if queue.is_closed {
            return Ok(());
        }
        if queue.frames >= QUEUED_FRAMES_MAX {
            queue.drop_frames();
            return Err(Full);
        }
        queue.frames += 1;
        queue.messages.push_back(Outgoing::Frame(frame));
        if !std::mem::replace(&mut queue.is_posted, true) {
            batch.push(Arc::clone(&self.0));
        }
        Ok(())
    }

    /// Queues a control message and wakes the reader.
    pub(crate) fn push_urgent(&self, message: Bytes) -> Result<(), Full> {
        self.push_control(message)?;
        self.0.wake();
        Ok(())
    }

    /// Queues a control message, to be taken with the next frame.
    pub(crate) fn push_control(&self, message: Bytes) -> Result<(), Full> {
        let mut queue = self.0.lock();
        if queue.is_closed {
            return Ok(());
        }
        if queue.controls() >= QUEUED_CONTROLS_MAX {
            return Err(Full);
        }
        queue.messages.push_back(Outgoing::Control(message));
        Ok(())
    }

    /// Queues an event, to be taken with the next frame, unless much is waiting already. Whether it was queued.
    pub(crate) fn push_event(&self, message: Bytes) -> bool {
        let mut queue = self.0.lock();
        let has_room = !queue.is_closed && queue.controls() < QUEUED_EVENTS_MAX;
        if has_room {
            queue.messages.push_back(Outgoing::Control(message));
        }
        has_room
    }

    /// Ends the queue: what waits is dropped except control messages, `bye` comes last.
    pub(crate) fn close(&self, bye: Option<Bytes>) {
        let mut queue = self.0.lock();
        if queue.is_closed {
            return;
        }
        queue.is_closed = true;
        queue.drop_frames();
        queue.messages.extend(bye.map(Outgoing::Control));
        drop(queue);
        self.0.wake();
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.close(None);
    }
}

impl OutboxReader {
    /// From now on the sending threads bring frames to `carrier`, and nobody is woken for them.
    pub(crate) fn carried_by(&self, carrier: Arc<dyn Carrier>) {
        self.0.lock().carrier = Some(carrier);
        // For what came before.
        self.0.wake();
    }

    /// Waits for the next message; none after the last.
    ///
    /// May be dropped while it waits; nothing is lost.
    pub(crate) async fn next(&self) -> Option<Outgoing> {
        loop {
            if let Some(message) = self.try_next() {
                return Some(message);
            }
            if self.is_over() {
                return None;
            }
            self.ready().await;
        }
    }
}

impl Drop for OutboxReader {
    fn drop(&mut self) {
        // The writing end lives until the zone hears of this: it must not hold the socket open.
        self.0.lock().carrier = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::post::Post;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn named(name: &'static str) -> Bytes {
        Bytes::from_static(name.as_bytes())
    }

    fn frame(name: &'static str) -> Frame {
        Frame::from(name.as_bytes().to_vec())
    }

    fn push(outbox: &Outbox, name: &'static str) -> Result<(), Full> {
        let mut batch = Batch::default();
        let pushed = outbox.push_frame(frame(name), &mut batch);
        batch.take_over();
        pushed
    }

    fn drain(reader: &OutboxReader) -> Vec<Bytes> {
        std::iter::from_fn(|| reader.try_next()).map(|message| message.to_bytes()).collect()
    }

    async fn next(reader: &OutboxReader) -> Option<Bytes> {
        Some(reader.next().await?.to_bytes())
    }

    #[test]
    fn frames_over_the_bound_are_dropped_and_controls_kept_in_order() {
        let (outbox, reader) = outbox();
        outbox.push_control(named("welcome")).unwrap();
        for _ in 0..QUEUED_FRAMES_MAX {
            push(&outbox, "frame").unwrap();
        }
        outbox.push_control(named("said")).unwrap();
        assert_eq!(push(&outbox, "one too many"), Err(Full));
        push(&outbox, "restart").unwrap();
        assert_eq!(drain(&reader), ["welcome", "said", "restart"]);
    }

    #[test]
    fn controls_over_the_bound_are_refused() {
        let (outbox, reader) = outbox();
        for _ in 0..QUEUED_CONTROLS_MAX {
            outbox.push_control(named("said")).unwrap();
        }
        assert_eq!(outbox.push_control(named("said")), Err(Full));
        assert_eq!(drain(&reader).len(), QUEUED_CONTROLS_MAX);
    }

    #[test]
    fn events_over_their_bound_are_left_out_and_leave_room_for_answers() {
        let (outbox, reader) = outbox();
        for _ in 0..QUEUED_EVENTS_MAX {
            assert!(outbox.push_event(named("event")));
        }
        assert!(!outbox.push_event(named("one too many")));
        outbox.push_control(named("said")).unwrap();
        assert_eq!(drain(&reader).len(), QUEUED_EVENTS_MAX + 1);
        assert!(outbox.push_event(named("event")));
    }

    #[tokio::test]
    async fn the_bye_is_the_last_message_and_overtakes_frames() {
        let (outbox, reader) = outbox();
        push(&outbox, "frame").unwrap();
        outbox.push_control(named("said")).unwrap();
        outbox.close(Some(named("bye")));
        outbox.push_control(named("late")).unwrap();
        outbox.close(Some(named("second bye")));
        assert_eq!(next(&reader).await, Some(named("said")));
        assert_eq!(next(&reader).await, Some(named("bye")));
        assert_eq!(next(&reader).await, None);
        assert!(reader.is_over());
    }

    #[tokio::test]
    async fn a_waiting_reader_wakes_for_a_message_and_for_the_end() {
        let (outbox, reader) = outbox();
        let reading = tokio::spawn(async move { (next(&reader).await, next(&reader).await) });
        tokio::task::yield_now().await;
        push(&outbox, "frame").unwrap();
        tokio::task::yield_now().await;
        drop(outbox);
        assert_eq!(reading.await.unwrap(), (Some(named("frame")), None));
    }

    #[tokio::test]
    async fn what_is_not_urgent_waits_for_the_next_frame_and_comes_before_it() {
        let (outbox, reader) = outbox();
        let reading = tokio::spawn(async move { (next(&reader).await, next(&reader).await) });
        tokio::task::yield_now().await;
        outbox.push_control(named("said")).unwrap();
        tokio::task::yield_now().await;
        assert!(!reading.is_finished());
        push(&outbox, "frame").unwrap();
        assert_eq!(reading.await.unwrap(), (Some(named("said")), Some(named("frame"))));
        let (outbox, reader) = super::outbox();
        let reading = tokio::spawn(async move { next(&reader).await });
        tokio::task::yield_now().await;
        outbox.push_urgent(named("pong")).unwrap();
        assert_eq!(reading.await.unwrap(), Some(named("pong")));
    }

    /// Notes what it is brought, and panics when told so.
    #[derive(Default)]
    struct Notes {
        brought: Mutex<Vec<Vec<Bytes>>>,
        turns: AtomicUsize,
    }

    impl Carrier for Notes {
        fn carry(&self, waiting: &Waiting, hands: &mut Hands) {
            self.turns.fetch_add(1, Ordering::Relaxed);
            assert!(hands.messages.is_empty() && hands.bytes.is_empty(), "hands come empty");
            waiting.take_all(&mut hands.messages);
            let brought: Vec<_> = hands.messages.iter().map(Outgoing::to_bytes).collect();
            hands.bytes.extend_from_slice(b"left over");
            assert!(!brought.contains(&named("panic")), "planted");
            self.brought.lock().unwrap().push(brought);
        }
    }

    impl Notes {
        fn wait_for(&self, turns: usize) {
            while self.turns.load(Ordering::Relaxed) < turns {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn all_that_waits_for_a_client_is_brought_in_one_go_and_once_in_each_batch() {
        let post = Post::start(1);
        let (outbox, reader) = outbox();
        let notes = Arc::new(Notes::default());
        reader.carried_by(notes.clone());
        let mut batch = Batch::default();
        outbox.push_control(named("said")).unwrap();
        outbox.push_frame(frame("one"), &mut batch).unwrap();
        outbox.push_frame(frame("two"), &mut batch).unwrap();
        batch.post(&post);
        notes.wait_for(1);
        let mut batch = Batch::default();
        outbox.push_frame(frame("three"), &mut batch).unwrap();
        batch.post(&post);
        notes.wait_for(2);
        drop(post);
        while notes.brought.lock().unwrap().len() < 2 {
            std::thread::yield_now();
        }
        assert_eq!(*notes.brought.lock().unwrap(), [vec!["said", "one", "two"], vec!["three"]]);
    }

    #[test]
    fn a_carrier_that_panics_loses_its_client_and_no_other() {
        let post = Post::start(1);
        let (bad, bad_reader) = outbox();
        let (good, good_reader) = outbox();
        let notes = [Arc::new(Notes::default()), Arc::new(Notes::default())];
        bad_reader.carried_by(notes[0].clone());
        good_reader.carried_by(notes[1].clone());
        let mut batch = Batch::default();
        bad.push_frame(frame("panic"), &mut batch).unwrap();
        good.push_frame(frame("one"), &mut batch).unwrap();
        batch.post(&post);
        notes[1].wait_for(1);
        assert!(bad_reader.is_over() && !good_reader.is_over());
        let mut batch = Batch::default();
        bad.push_frame(frame("to nobody"), &mut batch).unwrap();
        good.push_frame(frame("two"), &mut batch).unwrap();
        batch.post(&post);
        notes[1].wait_for(2);
        assert_eq!(notes[0].turns.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_reader_that_goes_lets_its_carrier_go() {
        let (outbox, reader) = outbox();
        let notes = Arc::new(Notes::default());
        reader.carried_by(notes.clone());
        assert_eq!(Arc::strong_count(&notes), 2);
        drop(reader);
        assert_eq!(Arc::strong_count(&notes), 1);
        drop(outbox);
    }
}
