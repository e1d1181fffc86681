//! A person with a device: logs in over HTTP, walks over the WebSocket.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use futures_util::{SinkExt as _, StreamExt as _};
use glam::DVec3;
use motion::{Buttons, Input};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use wire::{Bye, ClientMessage, Hello, InputBatch, ServerMessage, View, Welcome};

use super::{DEADLINE, Server};

/// An answer that is a problem.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
}

/// An answer of the API, whatever it says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    async fn read(answer: reqwest::Response) -> Result<Self, reqwest::Error> {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await?;
        Ok(Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }

    /// Status and problem code; an empty code for a success.
    pub(crate) fn outcome(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// A logged-in account on its device.
#[derive(Clone)]
pub(crate) struct Account {
    http: Client,
    url: String,
    key: ed25519_dalek::SigningKey,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) id: String,
    pub(crate) display_name: String,
}

impl Account {
    /// A first visit with a fresh key.
    pub(crate) async fn new(server: &Server) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&rand::random());
        Self::log_in(server, key).await
    }

    /// The same person on the server as it runs now.
    pub(crate) async fn again(&self, server: &Server) -> Self {
        Self::log_in(server, self.key.clone()).await
    }

    async fn log_in(server: &Server, key: ed25519_dalek::SigningKey) -> Self {
        let mut account = Self {
            http: Client::builder().timeout(DEADLINE).build().unwrap(),
            url: server.url().to_owned(),
            key,
            access_token: String::new(),
            refresh_token: String::new(),
            id: String::new(),
            display_name: String::new(),
        };
        let answer = account.answer_a_challenge().await;
        let session = account.post("auth/verify", answer).await.unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        account.access_token = text(&session["access_token"]);
        account.refresh_token = text(&session["refresh_token"]);
        account.id = text(&session["account"]["account_id"]);
        account.display_name = text(&session["account"]["display_name"]);
        account
    }

    /// Asks for a challenge and signs it: the body for `auth/verify`.
    pub(crate) async fn answer_a_challenge(&self) -> Value {
        let public_key = URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes());
        let challenge = self.post("auth/challenge", json!({"public_key": public_key})).await.unwrap();
        let signature = self.key.sign(challenge["message"].as_str().unwrap().as_bytes());
        json!({
            "public_key": public_key,
            "nonce": challenge["nonce"],
            "signature": URL_SAFE_NO_PAD.encode(signature.to_bytes()),
        })
    }

    /// `GET /api/v1/…`.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST /api/v1/…` with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value, ApiError> {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// `PATCH /api/v1/…` with a JSON body.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Result<Value, ApiError> {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// Any request to `/api/v1/…`; the error is one of the connection.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.request(method, path);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::read(request.send().await?).await
    }

    /// The same with a body that need not be JSON; none if it is empty.
    pub(crate) async fn ask_text(&self, method: Method, path: &str, key: &str, body: &str) -> Answer {
        let mut request = self.request(method, path).header("idempotency-key", key);
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        Answer::read(request.send().await.unwrap()).await.unwrap()
    }

    /// A decision under a new key, answered.
    pub(crate) async fn decide(&self, method: Method, path: &str, body: Value) -> Answer {
        let key = uuid::Uuid::now_v7().to_string();
        let body = (!body.is_null()).then_some(&body);
        self.ask(method, path, Some(&key), body).await.unwrap()
    }

    /// The same account where the server listens now.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// What happens to this account from now on, as the server tells it.
    pub(crate) async fn listen(&self) -> Listener {
        // It ends with the test; the client's limit of time is for whole answers.
        let request = self.request(Method::GET, "events").timeout(3 * DEADLINE);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        Listener { answer, buffer: String::new() }
    }

    /// Claims a lot under an idempotency key.
    pub(crate) async fn claim(&self, lot: &str, key: &str) -> Result<Value, ApiError> {
        let path = format!("lands/{lot}/claim");
        self.send(self.request(Method::POST, &path).header("idempotency-key", format!("\"{key}\""))).await
    }

    /// Coins, in minor units.
    pub(crate) async fn coins(&self) -> i64 {
        let wallet = self.get("wallet").await.unwrap();
        let balances = wallet["balances"].as_array().unwrap();
        balances.iter().find(|one| one["asset"] == "coin").unwrap()["amount_minor"].as_i64().unwrap()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v1/{path}", self.url)).bearer_auth(&self.access_token)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, ApiError> {
        let answer = request.send().await.map_err(|error| ApiError {
            status: StatusCode::from_u16(599).unwrap(),
            code: format!("no answer: {error}"),
        })?;
        let status = answer.status();
        let document: Value = answer.json().await.unwrap_or_default();
        if status.is_success() {
            Ok(document)
        } else {
            let code = document["code"].as_str().unwrap_or_default().to_owned();
            Err(ApiError { status, code })
        }
    }

    /// Enters the world, and waits until the whole server knows that one is there: a tenth of a second, two frames.
    pub(crate) async fn enter(&self, server: &Server) -> Player {
        let mut player = Player::connect(server).await;
        player.send(&ClientMessage::Hello(self.hello())).await;
        player.expect_welcome().await;
        player.frame().await;
        player.frame().await;
        player
    }

    /// A right hello.
    pub(crate) fn hello(&self) -> Hello {
        Hello {
            protocol_version: wire::PROTOCOL_VERSION,
            protocol_hash: wire::PROTOCOL_HASH,
            access_token: self.access_token.clone(),
            ..Hello::default()
        }
    }
}

/// An open stream of events.
pub(crate) struct Listener {
    answer: reqwest::Response,
    buffer: String,
}

impl Listener {
    /// The data of the next event of this kind; those before it are passed over.
    #[track_caller]
    pub(crate) fn next(&mut self, kind: &str) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        let kind = kind.to_owned();
        async move {
            let reading = async {
                loop {
                    while let Some((frame, rest)) = self.buffer.split_once("\n\n") {
                        let data = frame.lines().find_map(|line| line.strip_prefix("data: "));
                        let event: Value = data.map_or(Value::Null, |it| serde_json::from_str(it).unwrap());
                        self.buffer = String::from(rest);
                        if event["kind"] == kind.as_str() {
                            return event["data"].clone();
                        }
                    }
                    let bytes = self.answer.chunk().await.unwrap();
                    let bytes = bytes.unwrap_or_else(|| panic!("the stream ended before {kind}: {place}"));
                    self.buffer.push_str(std::str::from_utf8(&bytes).expect("events are whole lines"));
                }
            };
            tokio::time::timeout(DEADLINE, reading).await.unwrap_or_else(|_| panic!("no {kind}: {place}"))
        }
    }
}

/// A connection to the world.
pub(crate) struct Player {
    socket: WebSocketStream<TcpStream>,
    pub(crate) welcome: Welcome,
    pub(crate) seen: Seen,
    next_seq: u32,
}

/// What a player knows of the world from its stream.
#[derive(Default)]
pub(crate) struct Seen {
    view: View,
    /// Where the own body is.
    pub(crate) position: DVec3,
    /// Frames received.
    pub(crate) frames: usize,
}

impl Seen {
    fn take(&mut self, frame: &wire::Frame<'_>) {
        assert_eq!(self.view.apply(frame), Ok(0), "the stream can be followed");
        self.position = frame.head.own.position;
        self.frames += 1;
    }

    /// Whether a body is in sight.
    pub(crate) fn sees(&self, entity_id: u32) -> bool {
        self.view.bodies().any(|body| body.entity_id == entity_id)
    }
}

impl Player {
    /// A socket without a hello.
    pub(crate) async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.host()).await.unwrap();
        Self::over(stream, server).await
    }

    /// A socket over a connection that the test has prepared.
    pub(crate) async fn over(stream: TcpStream, server: &Server) -> Self {
        let url = format!("ws://{}/ws", server.host());
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("the upgrade succeeds");
        Self { socket, welcome: Welcome::default(), seen: Seen::default(), next_seq: 1 }
    }

    pub(crate) async fn send(&mut self, message: &ClientMessage) {
        self.send_raw(Message::Binary(message.encode().into())).await;
    }

    /// A server that has closed already is no failure here: the test looks at what it said.
    pub(crate) async fn send_raw(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    /// The first message after the hello.
    pub(crate) async fn expect_welcome(&mut self) {
        let welcome = self.until("the welcome", |message| match message {
            ServerMessage::Welcome(welcome) => Some(welcome.clone()),
            _ => None,
        });
        self.welcome = welcome.await;
        self.next_seq = self.welcome.last_input_seq + 1;
    }

    /// Reads until `wanted` finds something.
    #[track_caller]
    pub(crate) fn until<'p, T: 'p>(
        &'p mut self,
        what: &'p str,
        mut wanted: impl FnMut(&ServerMessage<'_>) -> Option<T> + 'p,
    ) -> impl Future<Output = T> + 'p {
        let place = std::panic::Location::caller();
        async move {
            let reading = async {
                loop {
                    let bytes = match self.socket.next().await {
                        Some(Ok(Message::Binary(bytes))) => bytes,
                        Some(Ok(Message::Close(_))) | None => panic!("closed before {what}: {place}"),
                        Some(Ok(_)) => continue,
                        Some(Err(error)) => panic!("{error} before {what}: {place}"),
                    };
                    let message = ServerMessage::decode(&bytes).expect("the server's messages can be read");
                    if let ServerMessage::Frame(frame) = &message {
                        self.seen.take(frame);
                    }
                    if let Some(found) = wanted(&message) {
                        return found;
                    }
                    if let ServerMessage::Bye(bye) = &message {
                        panic!("{bye:?} before {what}: {place}");
                    }
                }
            };
            tokio::time::timeout(DEADLINE, reading)
                .await
                .unwrap_or_else(|_| panic!("{what} never came: {place}"))
        }
    }

    /// The server's reason for ending the connection, and then its end.
    #[track_caller]
    pub(crate) fn expect_bye(mut self) -> impl Future<Output = Bye> {
        let place = std::panic::Location::caller();
        async move {
            let bye = self.until("a bye", |message| match message {
                ServerMessage::Bye(bye) => Some(bye.clone()),
                _ => None,
            });
            let bye = bye.await;
            let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
            tokio::time::timeout(DEADLINE, rest).await.unwrap_or_else(|_| panic!("left open: {place}"));
            bye
        }
    }

    /// The code of a refused request.
    #[track_caller]
    pub(crate) fn expect_refused(&mut self) -> impl Future<Output = String> + '_ {
        self.until("a refusal", |message| match message {
            ServerMessage::Refused(refused) => Some(refused.code.clone()),
            _ => None,
        })
    }

    /// Reads until the own stream shows the body.
    #[track_caller]
    pub(crate) fn until_seen(&mut self, entity_id: u32) -> impl Future<Output = ()> + '_ {
        let place = std::panic::Location::caller();
        async move {
            let looking = async {
                while !self.seen.sees(entity_id) {
                    self.frame().await;
                }
            };
            tokio::time::timeout(DEADLINE, looking)
                .await
                .unwrap_or_else(|_| panic!("body {entity_id} never came into sight: {place}"));
        }
    }

    /// Reads to the end of the next frame.
    pub(crate) async fn frame(&mut self) {
        self.until("a frame", |message| matches!(message, ServerMessage::Frame(_)).then_some(())).await;
    }

    /// Walks for so many steps of 1/30 s and waits until the server has done them all.
    pub(crate) async fn walk(&mut self, steps: u32, look: DVec3) {
        let last = self.next_seq + steps - 1;
        let mut left = steps;
        let input = Input::new(Buttons::FORWARD, look);
        while left > 0 {
            let count = left.min(3);
            let batch = InputBatch { first_seq: self.next_seq, inputs: vec![input; count as usize] };
            self.send(&ClientMessage::Input(batch)).await;
            self.next_seq += count;
            left -= count;
            // Paced by the server's own frames: three inputs for each, as a client sends them.
            self.frame().await;
        }
        let done = self.until("the end of the walk", |message| match message {
            ServerMessage::Frame(frame) => (frame.head.last_input_seq >= last).then_some(()),
            _ => None,
        });
        done.await;
    }

    /// Cuts the connection without a word.
    pub(crate) fn cut(self) {
        drop(self);
    }
}

/// Bytes that are no message of any kind, of every length up to `max`, the same each time.
pub(crate) fn garbage(max: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..max).map(move |length| {
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_be_bytes()[0]
            })
            .collect()
    })
}
