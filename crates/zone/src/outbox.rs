//! The queue of messages on their way to one reader.
//!
//! Frames may be dropped (the next one starts the cells again from keyframes), control messages may not.
//! Order is kept among what is delivered. The last message is a Bye.
//!
//! The reader is woken by frames, ten times a second, and takes all that waits: what is sent costs by the number of
//! sends, whatever is in them. So control messages do not wake it unless someone waits for an answer.

use crate::limits::{QUEUED_CONTROLS_MAX, QUEUED_EVENTS_MAX, QUEUED_FRAMES_MAX};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    frames: usize,
    is_closed: bool,
}

enum Message {
    Frame(Bytes),
    Control(Bytes),
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    ready: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole after every statement, so a panic elsewhere while it was held does no harm.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The writing end. Dropping it closes the queue.
pub(crate) struct Outbox(Arc<Shared>);

/// The reading end.
pub(crate) struct OutboxReader(Arc<Shared>);

pub(crate) fn outbox() -> (Outbox, OutboxReader) {
    let shared = Arc::<Shared>::default();
    (Outbox(Arc::clone(&shared)), OutboxReader(shared))
}

impl Outbox {
    /// Queues a frame; when [`QUEUED_FRAMES_MAX`] are waiting, drops them and this one.
    pub(crate) fn push_frame(&self, frame: Bytes) -> Result<(), Full> {
        let mut queue = self.0.lock();
        if queue.is_closed {
            return Ok(());
        }
        if queue.frames >= QUEUED_FRAMES_MAX {
            queue.messages.retain(|message| matches!(message, Message::Control(_)));
            queue.frames = 0;
            return Err(Full);
        }
        queue.frames += 1;
        queue.messages.push_back(Message::Frame(frame));
        drop(queue);
        self.0.ready.notify_one();
        Ok(())
    }

    /// Queues a control message and wakes the reader.
    pub(crate) fn push_urgent(&self, message: Bytes) -> Result<(), Full> {
        self.push_control(message)?;
        self.0.ready.notify_one();
        Ok(())
    }

    /// Queues a control message, to be taken with the next frame.
    pub(crate) fn push_control(&self, message: Bytes) -> Result<(), Full> {
        let mut queue = self.0.lock();
        if queue.is_closed {
            return Ok(());
        }
        if queue.messages.len() - queue.frames >= QUEUED_CONTROLS_MAX {
            return Err(Full);
        }
        queue.messages.push_back(Message::Control(message));
        Ok(())
    }

    /// Queues an event, to be taken with the next frame, unless much is waiting already. Whether it was queued.
    pub(crate) fn push_event(&self, message: Bytes) -> bool {
        let mut queue = self.0.lock();
        let has_room = !queue.is_closed && queue.messages.len() - queue.frames < QUEUED_EVENTS_MAX;
        if has_room {
            queue.messages.push_back(Message::Control(message));
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
        queue.messages.retain(|message| matches!(message, Message::Control(_)));
        queue.frames = 0;
        queue.messages.extend(bye.map(Message::Control));
        drop(queue);
        self.0.ready.notify_one();
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.close(None);
    }
}

impl OutboxReader {
    /// The next message if one is waiting.
    pub(crate) fn try_next(&self) -> Option<Bytes> {
        let mut queue = self.0.lock();
        match queue.messages.pop_front()? {
            Message::Frame(bytes) => {
                queue.frames -= 1;
                Some(bytes)
            }
            Message::Control(bytes) => Some(bytes),
        }
    }

    /// Waits for the next message; none after the last.
    ///
    /// May be dropped while it waits; nothing is lost.
    pub(crate) async fn next(&self) -> Option<Bytes> {
        loop {
            if let Some(message) = self.try_next() {
                return Some(message);
            }
            if self.0.lock().is_closed {
                // Closed between the two looks: the Bye may have come with it.
                return self.try_next();
            }
            self.0.ready.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &'static str) -> Bytes {
        Bytes::from_static(name.as_bytes())
    }

    fn drain(reader: &OutboxReader) -> Vec<Bytes> {
        std::iter::from_fn(|| reader.try_next()).collect()
    }

    #[test]
    fn frames_over_the_bound_are_dropped_and_controls_kept_in_order() {
        let (outbox, reader) = outbox();
        outbox.push_control(named("welcome")).unwrap();
        for _ in 0..QUEUED_FRAMES_MAX {
            outbox.push_frame(named("frame")).unwrap();
        }
        outbox.push_control(named("said")).unwrap();
        assert_eq!(outbox.push_frame(named("one too many")), Err(Full));
        outbox.push_frame(named("restart")).unwrap();
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
        outbox.push_frame(named("frame")).unwrap();
        outbox.push_control(named("said")).unwrap();
        outbox.close(Some(named("bye")));
        outbox.push_control(named("late")).unwrap();
        outbox.close(Some(named("second bye")));
        assert_eq!(reader.next().await, Some(named("said")));
        assert_eq!(reader.next().await, Some(named("bye")));
        assert_eq!(reader.next().await, None);
    }

    #[tokio::test]
    async fn a_waiting_reader_wakes_for_a_message_and_for_the_end() {
        let (outbox, reader) = outbox();
        let reading = tokio::spawn(async move { (reader.next().await, reader.next().await) });
        tokio::task::yield_now().await;
        outbox.push_frame(named("frame")).unwrap();
        tokio::task::yield_now().await;
        drop(outbox);
        assert_eq!(reading.await.unwrap(), (Some(named("frame")), None));
    }

    #[tokio::test]
    async fn what_is_not_urgent_waits_for_the_next_frame_and_comes_before_it() {
        let (outbox, reader) = outbox();
        let reading = tokio::spawn(async move { (reader.next().await, reader.next().await) });
        tokio::task::yield_now().await;
        outbox.push_control(named("said")).unwrap();
        tokio::task::yield_now().await;
        assert!(!reading.is_finished());
        outbox.push_frame(named("frame")).unwrap();
        assert_eq!(reading.await.unwrap(), (Some(named("said")), Some(named("frame"))));
        let (outbox, reader) = super::outbox();
        let reading = tokio::spawn(async move { reader.next().await });
        tokio::task::yield_now().await;
        outbox.push_urgent(named("pong")).unwrap();
        assert_eq!(reading.await.unwrap(), Some(named("pong")));
    }
}
