//! One player, connected.

use crate::site::{Login, PlanetGround, Site};
use bytes::Bytes;
use cell::LatLng;
use futures_util::{SinkExt as _, StreamExt as _};
use glam::DVec3;
use motion::{Body, Buttons, ClosedLand, Fenced, Input, Pace, Predictor};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use wire::stream::{self, Tier};
use wire::{
    Bye, ClientMessage, DecodeError, Fences, Hello, InputBatch, LotChanged, PROTOCOL_HASH, PROTOCOL_VERSION,
    People, Ping, Place, Pong, RESUME_TOKEN_BYTES, Refused, SERVER_MESSAGE_MAX_BYTES, Said, Say,
    ServerMessage, View, Welcome, WhoIs,
};

/// Thousands of clients share a process: their buffers are small.
const BUFFER_BYTES: usize = 4 * 1024;

/// No honest server stretches time more.
pub(crate) const STRETCH_MAX: f64 = 4.0;

/// How to enter the world.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectOptions {
    /// From a former [`Client::resume_token`].
    pub resume_token: Option<[u8; RESUME_TOKEN_BYTES]>,
    /// Where to arrive.
    pub arrive_at: Option<LatLng>,
}

impl ConnectOptions {
    /// The first message of somebody who has logged in.
    pub(crate) fn hello(&self, login: &Login) -> Hello {
        let place = |place: LatLng| Place { latitude_deg: place.lat_deg(), longitude_deg: place.lng_deg() };
        Hello {
            protocol_version: PROTOCOL_VERSION,
            protocol_hash: PROTOCOL_HASH,
            access_token: login.access_token.clone(),
            resume_token: self.resume_token.map(Vec::from).unwrap_or_default(),
            arrive_at: self.arrive_at.map(place),
        }
    }
}

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket could not be opened or broke.
    #[error("the socket failed: {0}")]
    Socket(#[from] Box<SocketError>),
    /// The server closed without a `Bye`.
    #[error("the server closed the connection without saying why")]
    Closed,
    /// No upgrade to a WebSocket.
    #[error("no upgrade: {0}")]
    Refused(String),
    /// The server said no instead of welcome.
    #[error("the server said {}: {}", .0.code, .0.detail)]
    Bye(Bye),
    /// A message that cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A cell block that cannot be read.
    #[error("a cell's block cannot be read: {0}")]
    Stream(#[from] stream::StreamError),
    /// Something else than the protocol says.
    #[error("the server broke the protocol: {0}")]
    Protocol(&'static str),
}

impl From<SocketError> for ClientError {
    fn from(error: SocketError) -> Self {
        Self::Socket(Box::new(error))
    }
}

/// Something the server told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A frame was taken in: see [`Client::view`] and [`Client::body`].
    Frame {
        /// The server's tick.
        tick: u32,
        /// How far the own body was from where it was predicted.
        correction_m: f64,
        /// Cells that wait for their next keyframe.
        gaps: usize,
        /// Everything began again, because frames before this one were dropped.
        is_restart: bool,
    },
    /// Someone near said something.
    Said(Said),
    /// Who is who.
    People(People),
    /// The answer to a ping.
    Pong(Pong),
    /// A request was refused.
    Refused(Refused),
    /// A lot near has changed.
    LotChanged(LotChanged),
    /// Something happened that concerns the player.
    Happened(wire::Event),
    /// Land near is closed or open to the player.
    Fences(Fences),
    /// Time goes slower, or as usual again: see [`Client::dilation`].
    Stretched(wire::Pace),
    /// The last message.
    Bye(Bye),
}

/// A connected player.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    ground: PlanetGround,
    welcome: Welcome,
    resume_token: [u8; RESUME_TOKEN_BYTES],
    predictor: Predictor,
    closed: ClosedLand,
    sent_seq: u32,
    view: View,
    /// Of the last frame.
    tick: u32,
    /// Wall time of a tick over its nominal length.
    dilation: f64,
    received_bytes: u64,
}

impl Client {
    /// Enters the world.
    pub async fn connect(site: &Site, login: &Login, options: ConnectOptions) -> Result<Self, ClientError> {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(SERVER_MESSAGE_MAX_BYTES))
            .max_frame_size(Some(SERVER_MESSAGE_MAX_BYTES));
        let (mut socket, _) = connect_async_with_config(site.socket_address(), Some(config), true).await?;
        let hello = ClientMessage::Hello(options.hello(login));
        socket.send(Message::Binary(hello.encode().into())).await?;
        let first = next_binary(&mut socket).await?;
        let welcome = match ServerMessage::decode(&first)? {
            ServerMessage::Welcome(welcome) => welcome,
            ServerMessage::Bye(bye) => return Err(ClientError::Bye(bye)),
            _ => return Err(ClientError::Protocol("the first message was no welcome")),
        };
        let body = welcome.body.and_then(|body| body.to_body());
        let body = body.ok_or(ClientError::Protocol("the welcome holds no body"))?;
        let resume_token = welcome.resume_token.as_slice().try_into();
        let resume_token = resume_token.map_err(|_| ClientError::Protocol("the resume token is cut"))?;
        let pace = Pace::try_from_hz(welcome.tick_hz);
        let pace = pace.ok_or(ClientError::Protocol("the welcome tells no known pace"))?;
        let last_seq = welcome.last_input_seq;
        Ok(Self {
            socket,
            ground: site.ground(),
            resume_token,
            predictor: Predictor::new(body, last_seq, pace),
            closed: ClosedLand::default(),
            sent_seq: last_seq,
            view: View::default(),
            tick: 0,
            dilation: 1.0,
            received_bytes: first.len() as u64,
            welcome,
        })
    }

    /// What the server said first.
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Number of the own body.
    pub fn entity_id(&self) -> u32 {
        self.welcome.entity_id
    }

    /// To come back in the same body.
    pub fn resume_token(&self) -> [u8; RESUME_TOKEN_BYTES] {
        self.resume_token
    }

    /// The own body as predicted.
    pub fn body(&self) -> &Body {
        self.predictor.body()
    }

    /// Everything seen, the own body as the server has it included.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Where each seen body stands, with its number.
    pub fn positions(&self) -> impl Iterator<Item = (u32, DVec3)> {
        self.view.bodies().map(|seen| (seen.entity_id, seen.position(&self.ground)))
    }

    /// The tier of each seen body, and whether the last frame told of it anew; the own one is left out.
    pub(crate) fn sights(&self) -> impl Iterator<Item = (Tier, bool)> {
        let others = self.view.bodies().filter(|seen| seen.entity_id != self.entity_id());
        others.map(|seen| (seen.tier, seen.updated_tick == self.tick))
    }

    /// Wall time of a tick over its nominal length: above 1 while the server is overloaded.
    pub fn dilation(&self) -> f64 {
        self.dilation
    }

    /// The land near that is closed to the player.
    pub fn closed(&self) -> &ClosedLand {
        &self.closed
    }

    /// Bytes of all messages so far.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// Steps per second.
    pub fn pace(&self) -> Pace {
        self.predictor.pace()
    }

    /// Moves the own body by one step. The inputs leave with [`Client::send_inputs`].
    pub fn step(&mut self, buttons: Buttons, look: DVec3) {
        let fenced = Fenced { ground: &self.ground, closed: &self.closed };
        self.predictor.step(Input::new(buttons, look), &fenced);
    }

    /// Sends the inputs of the steps since the last call.
    pub async fn send_inputs(&mut self) -> Result<(), ClientError> {
        while let Some(batch) = InputBatch::unsent(&self.predictor, self.sent_seq) {
            self.sent_seq = batch.last_seq();
            self.send(&ClientMessage::Input(batch)).await?;
        }
        Ok(())
    }

    /// Says something to those near.
    pub async fn say(&mut self, text: &str) -> Result<(), ClientError> {
        self.send(&ClientMessage::Say(Say { text: text.to_owned() })).await
    }

    /// Asks for the names of bodies.
    pub async fn who_is(&mut self, entity_ids: Vec<u32>) -> Result<(), ClientError> {
        self.send(&ClientMessage::WhoIs(WhoIs { entity_ids })).await
    }

    /// Asks for an answer that carries `client_time_ms`.
    pub async fn ping(&mut self, client_time_ms: f64) -> Result<(), ClientError> {
        self.send(&ClientMessage::Ping(Ping { client_time_ms })).await
    }

    /// Leaves for good; the server says [`Event::Bye`] with code `left`.
    pub async fn leave(&mut self) -> Result<(), ClientError> {
        self.send(&ClientMessage::Leave).await
    }

    /// Sends any message, sensible or not.
    pub async fn send(&mut self, message: &ClientMessage) -> Result<(), ClientError> {
        self.send_bytes(message.encode().into()).await
    }

    /// Sends any bytes as one message.
    pub async fn send_bytes(&mut self, bytes: Bytes) -> Result<(), ClientError> {
        Ok(self.socket.send(Message::Binary(bytes)).await?)
    }

    /// Waits for the next message. May be dropped while it waits, as in `select!`.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        let bytes = next_binary(&mut self.socket).await?;
        self.received_bytes += bytes.len() as u64;
        Ok(match ServerMessage::decode(&bytes)? {
            ServerMessage::Frame(frame) => {
                let gaps = self.view.apply(&frame)?;
                self.tick = frame.head.tick;
                let head = frame.head;
                let fenced = Fenced { ground: &self.ground, closed: &self.closed };
                let correction_m = self.predictor.reconcile(head.own, head.last_input_seq, &fenced);
                self.sent_seq = self.sent_seq.min(self.predictor.last_seq());
                Event::Frame { tick: head.tick, correction_m, gaps, is_restart: head.is_restart }
            }
            ServerMessage::Said(said) => Event::Said(said),
            ServerMessage::People(people) => Event::People(people),
            ServerMessage::Pong(pong) => Event::Pong(pong),
            ServerMessage::Refused(refused) => Event::Refused(refused),
            ServerMessage::LotChanged(lot) => Event::LotChanged(lot),
            ServerMessage::Event(event) => Event::Happened(event),
            ServerMessage::Fences(fences) => {
                let is_applied = fences.apply(&mut self.closed);
                is_applied.map_err(|_| ClientError::Protocol("fences around what is no lot"))?;
                let fenced = Fenced { ground: &self.ground, closed: &self.closed };
                self.predictor.repeat_after(fences.after_input_seq, &fenced);
                Event::Fences(fences)
            }
            ServerMessage::Pace(pace) => {
                self.dilation = pace.stretch.clamp(1.0, STRETCH_MAX);
                Event::Stretched(pace)
            }
            ServerMessage::Bye(bye) => Event::Bye(bye),
            ServerMessage::Welcome(_) => return Err(ClientError::Protocol("a second welcome")),
        })
    }
}

async fn next_binary(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Result<Bytes, ClientError> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(_) | Message::Frame(_))) => {
                return Err(ClientError::Protocol("a message that is not binary"));
            }
            Some(Ok(Message::Close(_))) | None => return Err(ClientError::Closed),
            Some(Err(error)) => return Err(error.into()),
        }
    }
}
