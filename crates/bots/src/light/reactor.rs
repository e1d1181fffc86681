//! Threads that carry light clients: one poll, one read per message, one write per batch of inputs.

use super::enter::{Entered, kind_of};
use super::frames::{Opcode, Parsed, append, parse};
use crate::client::STRETCH_MAX;
use crate::mind::Mind;
use crate::tally::Tally;
use glam::DVec3;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use motion::Input;
use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wire::{ClientMessage, FrameHead, INPUT_BATCH_MAX, InputBatch, Kind, Ping, ServerMessage};

const WAKE: Token = Token(usize::MAX);
/// More than the longest message.
const BUFFER_BYTES: usize = 1 << 20;
const EVENTS_AT_ONCE: usize = 1_024;
/// Clients that act before the sockets are looked at again.
const ACTS_AT_ONCE: usize = 256;
/// One in so many pings once a second.
const PINGING: usize = 16;
/// How long those who leave wait for the server's good bye.
const FAREWELL: Duration = Duration::from_secs(15);

/// How light clients behave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LightSettings {
    /// Threads that carry them.
    pub(crate) threads: usize,
    /// Messages with inputs that each sends a second; 0: none.
    pub(crate) input_hz: f64,
}

enum Order {
    Enter { entered: Box<Entered>, mind: Box<Mind>, number: usize },
    Measure,
    Leave,
}

/// The threads.
pub(crate) struct Lights {
    threads: Vec<(Sender<Order>, Arc<Waker>, JoinHandle<Tally>)>,
}

impl Lights {
    /// Starts them, without clients.
    pub(crate) fn start(settings: LightSettings) -> std::io::Result<Self> {
        let threads = (0..settings.threads.max(1)).map(|n| {
            let poll = Poll::new()?;
            let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
            let (orders, taken) = channel();
            let reactor = Reactor::new(poll, taken, settings);
            let thread = std::thread::Builder::new().name(format!("bots-{n}"));
            Ok((orders, waker, thread.spawn(move || reactor.run())?))
        });
        Ok(Self { threads: threads.collect::<std::io::Result<_>>()? })
    }

    fn order(&self, thread: usize, order: Order) {
        let (orders, waker, _) = &self.threads[thread];
        // A thread that has ended is noticed when it is asked for its tally.
        if orders.send(order).is_ok() {
            let _ = waker.wake();
        }
    }

    /// Takes over a client.
    pub(crate) fn take(&self, number: usize, entered: Entered, mind: Mind) {
        let order = Order::Enter { entered: Box::new(entered), mind: Box::new(mind), number };
        self.order(number % self.threads.len(), order);
    }

    /// Forgets what was counted and begins anew.
    pub(crate) fn measure(&self) {
        for thread in 0..self.threads.len() {
            self.order(thread, Order::Measure);
        }
    }

    /// Everybody leaves; what they saw since [`Lights::measure`]. Blocks.
    pub(crate) fn leave(self) -> Tally {
        for thread in 0..self.threads.len() {
            self.order(thread, Order::Leave);
        }
        let mut tally = Tally::default();
        for (_, _, thread) in self.threads {
            tally.add(&thread.join().expect("a thread of light clients has panicked"));
        }
        tally
    }
}

/// One client.
struct Light {
    stream: TcpStream,
    number: usize,
    /// The beginning of a message.
    rest: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
    mind: Box<Mind>,
    position: DVec3,
    sent_seq: u32,
    tick_hz: f64,
    /// Wall time of a tick over its nominal length.
    dilation: f64,
    acted_at: Instant,
    pinged_at: Instant,
    /// Steps due and not yet made, a part of one included.
    due_steps: f64,
    has_restarted: bool,
    last_tick: Option<u32>,
    frame_at: Option<Instant>,
    measured_from: Instant,
    frames: u64,
    bytes: u64,
    second_bytes: u64,
    peak_bytes: u64,
}

struct Reactor {
    poll: Poll,
    orders: Receiver<Order>,
    settings: LightSettings,
    clients: Vec<Option<Light>>,
    buffer: Vec<u8>,
    tally: Tally,
    started: Instant,
    /// Whose turn it is to act, and when it was due.
    turn: usize,
    turn_at: Instant,
    second_at: Instant,
    leaving_since: Option<Instant>,
}

impl Reactor {
    fn new(poll: Poll, orders: Receiver<Order>, settings: LightSettings) -> Self {
        let started = Instant::now();
        Self {
            poll,
            orders,
            settings,
            clients: vec![],
            buffer: vec![0; BUFFER_BYTES],
            tally: Tally::default(),
            started,
            turn: 0,
            turn_at: started,
            second_at: started + Duration::from_secs(1),
            leaving_since: None,
        }
    }

    fn run(mut self) -> Tally {
        let mut events = Events::with_capacity(EVENTS_AT_ONCE);
        while !self.is_over() {
            let now = Instant::now();
            let wait = self.turn_at.min(self.second_at).saturating_duration_since(now);
            // A signal is no reason to end.
            let _ = self.poll.poll(&mut events, Some(wait.min(Duration::from_millis(100))));
            for event in &events {
                match event.token() {
                    WAKE => self.take_orders(),
                    Token(index) => self.read(index),
                }
            }
            let now = Instant::now();
            self.act_in_turn(now);
            if now >= self.second_at {
                self.end_second();
            }
        }
        for client in std::mem::take(&mut self.clients).into_iter().flatten() {
            self.tally.note_drop("the server did not say good bye".into());
            self.note_end(&client);
        }
        self.tally
    }

    fn is_over(&self) -> bool {
        self.leaving_since
            .is_some_and(|since| since.elapsed() > FAREWELL || self.clients.iter().all(Option::is_none))
    }

    fn take_orders(&mut self) {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Enter { entered, mind, number }) => self.take(*entered, mind, number),
                Ok(Order::Measure) => self.measure(),
                Ok(Order::Leave) => self.leaving_since = Some(Instant::now()),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.leaving_since.get_or_insert_with(Instant::now);
                    return;
                }
            }
        }
    }

    fn take(&mut self, entered: Entered, mind: Box<Mind>, number: usize) {
        let now = Instant::now();
        let Entered { stream, rest, welcome, .. } = entered;
        let mut stream = TcpStream::from_std(stream);
        let index = self.clients.len();
        if let Err(error) = self.poll.registry().register(&mut stream, Token(index), Interest::READABLE) {
            return self.tally.note_drop(format!("the socket cannot be polled: {error}"));
        }
        let position = welcome.body.and_then(|body| body.to_body()).map_or(DVec3::X, |body| body.position);
        self.clients.push(Some(Light {
            stream,
            number,
            rest,
            unsent: vec![],
            mind,
            position,
            sent_seq: welcome.last_input_seq,
            tick_hz: welcome.tick_hz.into(),
            dilation: 1.0,
            acted_at: now,
            pinged_at: now,
            due_steps: 0.0,
            has_restarted: false,
            last_tick: None,
            frame_at: None,
            measured_from: now,
            frames: 0,
            bytes: 0,
            second_bytes: 0,
            peak_bytes: 0,
        }));
        // What came before the socket was registered is not reported again.
        self.read(index);
    }

    fn measure(&mut self) {
        let now = Instant::now();
        // Whoever was lost before stays lost.
        let Tally { dropped, reasons, .. } = std::mem::take(&mut self.tally);
        self.tally = Tally { dropped, reasons, ..Tally::default() };
        self.second_at = now + Duration::from_secs(1);
        for client in self.clients.iter_mut().flatten() {
            client.measured_from = now;
            (client.frames, client.bytes, client.second_bytes, client.peak_bytes) = (0, 0, 0, 0);
            client.frame_at = None;
        }
    }

    fn end_second(&mut self) {
        self.second_at += Duration::from_secs(1);
        for client in self.clients.iter_mut().flatten() {
            client.peak_bytes = client.peak_bytes.max(client.bytes - client.second_bytes);
            client.second_bytes = client.bytes;
        }
    }

    fn note_end(&mut self, client: &Light) {
        let end = self.leaving_since.unwrap_or_else(Instant::now);
        let seconds = end.saturating_duration_since(client.measured_from).as_secs_f64();
        self.tally.note_client(seconds, client.frames, client.bytes, client.peak_bytes);
    }

    fn end(&mut self, index: usize, reason: Option<String>) {
        let Some(mut client) = self.clients[index].take() else { return };
        let _ = self.poll.registry().deregister(&mut client.stream);
        if let Some(reason) = reason {
            self.tally.note_drop(reason);
        }
        self.note_end(&client);
    }

    /// Takes in what has come for a client.
    fn read(&mut self, index: usize) {
        let Some(client) = self.clients.get_mut(index).and_then(Option::as_mut) else { return };
        let context = Context { started: self.started, is_over: self.leaving_since.is_some() };
        let outcome = client.read(&mut self.buffer, &mut self.tally, &context);
        match outcome {
            Ok(()) => {}
            Err(End::Left) => self.end(index, None),
            Err(End::Gone(_)) if context.is_over => self.end(index, None),
            Err(End::Gone(reason) | End::Broken(reason)) => self.end(index, Some(reason)),
        }
    }

    /// Lets those act whose turn has come: all of them evenly over the time between two messages of one.
    fn act_in_turn(&mut self, now: Instant) {
        if self.clients.is_empty() {
            self.turn_at = now + Duration::from_millis(100);
            return;
        }
        let hz = if self.settings.input_hz > 0.0 { self.settings.input_hz } else { 1.0 };
        let pause = Duration::from_secs_f64(1.0 / hz / self.clients.len() as f64);
        for _ in 0..ACTS_AT_ONCE {
            if self.turn_at > now {
                return;
            }
            self.turn_at += pause;
            self.turn = (self.turn + 1) % self.clients.len();
            self.act(self.turn, now);
        }
        if now.saturating_duration_since(self.turn_at) > Duration::from_millis(500) {
            // So late that catching up would only be a burst.
            self.turn_at = now;
        }
    }

    fn act(&mut self, index: usize, now: Instant) {
        let Some(client) = self.clients[index].as_mut() else { return };
        let outcome = if self.leaving_since.is_some() {
            client.leave()
        } else if self.settings.input_hz > 0.0 {
            client.act(now, self.started, &mut self.tally)
        } else {
            client.flush()
        };
        if let Err(error) = outcome {
            self.end(index, Some(format!("the socket failed: {error}")));
        }
    }
}

/// Why a client is no more.
enum End {
    Left,
    /// The connection is gone: nothing to wonder at while everybody leaves.
    Gone(String),
    /// Something that no server may send.
    Broken(String),
}

struct Context {
    started: Instant,
    is_over: bool,
}

impl Light {
    fn read(&mut self, buffer: &mut [u8], tally: &mut Tally, context: &Context) -> Result<(), End> {
        let mut held = self.rest.len();
        buffer[..held].copy_from_slice(&self.rest);
        self.rest.clear();
        loop {
            let room = buffer.len() - held;
            let read = match self.stream.read(&mut buffer[held..]) {
                Ok(0) => return Err(End::Gone("the server closed the connection".into())),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(End::Gone(format!("the socket failed: {error}"))),
            };
            self.bytes += read as u64;
            let used = self.take_all(&buffer[..held + read], tally, context)?;
            buffer.copy_within(used..held + read, 0);
            held += read;
            held -= used;
            // Less than there was room for: the socket is empty and will be reported anew.
            if read < room {
                break;
            }
        }
        if held > 0 {
            self.rest.extend_from_slice(&buffer[..held]);
        } else if self.rest.capacity() > 16 * 1024 {
            self.rest = vec![];
        }
        Ok(())
    }

    /// Takes in every whole message; how many bytes they were.
    fn take_all(&mut self, bytes: &[u8], tally: &mut Tally, context: &Context) -> Result<usize, End> {
        let mut used = 0;
        loop {
            match parse(&bytes[used..]) {
                Parsed::More => return Ok(used),
                Parsed::Broken(why) => {
                    return Err(End::Broken(format!("the server broke the protocol: {why}")));
                }
                Parsed::Frame { opcode, payload } => {
                    let message = &bytes[used + payload.start..used + payload.end];
                    match opcode {
                        Opcode::Binary => self.take_message(message, tally, context)?,
                        Opcode::Ping => append(Opcode::Pong, message, &mut self.unsent),
                        Opcode::Pong => {}
                        Opcode::Close => {
                            return Err(End::Gone("the server closed without saying why".into()));
                        }
                    }
                    used += payload.end;
                }
            }
        }
    }

    fn take_message(&mut self, message: &[u8], tally: &mut Tally, context: &Context) -> Result<(), End> {
        match kind_of(message) {
            Some(Kind::Frame) => {
                let Ok(head) = FrameHead::peek(message) else {
                    return Err(End::Broken("a frame that cannot be read".into()));
                };
                self.position = head.own.position;
                // The parts of one moment are one frame.
                if self.last_tick.replace(head.tick) == Some(head.tick) {
                    return Ok(());
                }
                if head.is_restart && std::mem::replace(&mut self.has_restarted, true) {
                    tally.restarts += 1;
                }
                self.frames += 1;
                let now = Instant::now();
                if let Some(before) = self.frame_at.replace(now) {
                    tally.frame_intervals.note(now - before);
                }
            }
            Some(Kind::Said) => tally.heard += 1,
            Some(Kind::Pong | Kind::Refused | Kind::Bye | Kind::Pace) => match ServerMessage::decode(message)
            {
                Ok(ServerMessage::Pong(pong)) => {
                    let now_ms = context.started.elapsed().as_secs_f64() * 1e3;
                    let took_s = ((now_ms - pong.client_time_ms) / 1e3).max(0.0);
                    tally.round_trips.note(Duration::try_from_secs_f64(took_s).unwrap_or_default());
                }
                Ok(ServerMessage::Refused(refused)) => *tally.refused.entry(refused.code).or_default() += 1,
                Ok(ServerMessage::Pace(pace)) => self.dilation = pace.stretch.clamp(1.0, STRETCH_MAX),
                Ok(ServerMessage::Bye(bye)) if bye.code == "left" || context.is_over => {
                    return Err(End::Left);
                }
                Ok(ServerMessage::Bye(bye)) => {
                    return Err(End::Gone(format!("bye {}: {}", bye.code, bye.detail)));
                }
                _ => return Err(End::Broken("a message that cannot be read".into())),
            },
            Some(_) => {}
            None => return Err(End::Broken("a message of no known kind".into())),
        }
        Ok(())
    }

    /// Sends the inputs of the time since the last call.
    fn act(&mut self, now: Instant, started: Instant, tally: &mut Tally) -> std::io::Result<()> {
        let since_s = now.saturating_duration_since(self.acted_at).as_secs_f64();
        self.acted_at = now;
        self.due_steps += since_s * self.tick_hz / self.dilation;
        let steps = (self.due_steps as usize).min(INPUT_BATCH_MAX);
        // What does not fit in a message is lost time, as it is to a page that was asleep.
        self.due_steps = (self.due_steps - steps as f64).min(1.0);
        if steps > 0 {
            let position = self.position;
            let next = || {
                let (buttons, look) = self.mind.step(position);
                Input::new(buttons, look)
            };
            let inputs: Vec<_> = std::iter::repeat_with(next).take(steps).collect();
            if self.unsent.is_empty() {
                let batch = InputBatch { first_seq: self.sent_seq.wrapping_add(1), inputs };
                self.sent_seq = batch.last_seq();
                append(Opcode::Binary, &ClientMessage::Input(batch).encode(), &mut self.unsent);
                tally.inputs += steps as u64;
            } else {
                tally.inputs_left_out += steps as u64;
            }
        }
        if self.number.is_multiple_of(PINGING) && now - self.pinged_at >= Duration::from_secs(1) {
            self.pinged_at = now;
            let ping = Ping { client_time_ms: now.saturating_duration_since(started).as_secs_f64() * 1e3 };
            append(Opcode::Binary, &ClientMessage::Ping(ping).encode(), &mut self.unsent);
        }
        self.flush()
    }

    fn leave(&mut self) -> std::io::Result<()> {
        append(Opcode::Binary, &ClientMessage::Leave.encode(), &mut self.unsent);
        self.flush()
    }

    fn flush(&mut self) -> std::io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
