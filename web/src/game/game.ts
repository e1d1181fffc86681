/**
 * One visit to a planet. Here, and only here, what the server said meets what we predict: bytes come in from the
 * session, wishes from the input, and once a frame the world is told who is where.
 */

import { modeOf, OwnBody } from "../core/body.ts";
import type { PageExports } from "../core/exports.ts";
import type { Planet } from "../core/planet.ts";
import { MalformedFrame, type SeenBody, Stream, TIERS, type Tier } from "../core/stream.ts";
import type { WalkedGround } from "../core/walked_ground.ts";
import { type CellId, cellToken, parseCellToken } from "../geo/cell_id.ts";
import { type LatLng, latLngOf, latLngToUnit } from "../geo/lat_lng.ts";
import { formatPlaceLink, type PlaceLink, parsePlaceLink } from "../geo/place_link.ts";
import { cross, distance, dot, normalize, rotate, scale, subtract, tangent, type Vec3 } from "../geo/vec3.ts";
import { type Action, IntentGatherer, type Intents, type Stick } from "../input/intents.ts";
import { Keyboard } from "../input/keyboard.ts";
import { Pointer } from "../input/pointer.ts";
import { type Api, publicApi } from "../net/api.ts";
import { ServerClock } from "../net/clock.ts";
import { Decisions } from "../net/decisions.ts";
import { Declined, declined } from "../net/declined.ts";
import { type Account, formatMoney, type Lot, type PlanetInfo } from "../net/domain.ts";
import type { Identity } from "../net/identity.ts";
import { keepPlace } from "../net/last_place.ts";
import { type ConnectionState, Session } from "../net/session.ts";
import type { WayIn } from "../net/way_in.ts";
import { ENTITIES_PER_QUESTION_MAX } from "../wire/kinds.ts";
import {
  BUTTON,
  encodeSay,
  encodeWhoIs,
  type ServerEvent,
  type ServerHandlers,
  type Welcome,
} from "../wire/messages.ts";
import type { BodyView, CameraPlace, LandPin, World } from "../world/world.ts";
import { type ChatLine, ChatLog } from "./chat_log.ts";
import type { Commands } from "./commands.ts";
import type { Daylight } from "./daytime.ts";
import type { Hud, LotView, MoneyView, NearbyPerson } from "./hud.ts";
import { LABELS_MAX, LABELS_WITHIN_M, type LabelPlace, type Labels } from "./labels.ts";
import { Lots } from "./lots.ts";
import { Names } from "./names.ts";
import { PlaceNames } from "./place_names.ts";
import { PlaybackClock } from "./playback.ts";
import { Prediction } from "./prediction.ts";
import { Unplayable } from "./requirements.ts";
import type { QualityChoice } from "./settings.ts";
import type { Skies, WeatherKind } from "./skies.ts";
import { Speeds } from "./speeds.ts";
import type { TierVitals, Vitals } from "./vitals.ts";

/** An event of the world as the server sends it: to us, or to all who are near. */
export interface Happened {
  readonly kind: string;
  readonly eventId: string;
  readonly data: unknown;
}

/** What a visit is made of; put together by `open_game.ts`. */
export interface GameParts {
  readonly canvas: HTMLCanvasElement;
  readonly labels: Labels;
  readonly core: PageExports;
  readonly planet: Planet;
  readonly ground: WalkedGround;
  readonly planetInfo: PlanetInfo;
  readonly world: World;
  readonly skies: Skies;
  readonly api: Api;
  readonly identity: Identity;
  readonly wayIn: WayIn;
  /** More pixels than these are not drawn but stretched. */
  readonly pixelsMax: number;
  readonly daylight: Daylight;
  readonly onHud: (hud: Hud) => void;
  readonly onChat: (lines: readonly ChatLine[]) => void;
  readonly onHappened: (happened: Happened) => void;
  readonly onAction: (action: Action) => void;
  readonly onQuality: (quality: QualityChoice) => void;
  readonly onDaylight: (daylight: Daylight) => void;
  readonly onBroken: (error: unknown) => void;
  /** Before the first arrival: why it takes so long. */
  readonly onWaiting: (reason: string) => void;
}

const HUD_INTERVAL_MS = 200;
const MONEY_SETTLE_MS = 120;
const PLACE_KEPT_EVERY_MS = 5_000;
/** A plate hangs so far over the feet. */
const HEAD_M = 2.05;
const HEAD_SWIMMING_M = 0.75;
/** What cannot be told apart from us for someone who is not known yet. */
const STRANGER_COLOR = 0x9aa4a8;
/** Frames that wait for the ground; older ones are let go, as if they had been lost. */
const WAITING_FRAMES_MAX = 100;
/** Further than this from where we were, one flies there instead of sliding. */
const SAME_PLACE_M = 60;
/** Those near are drawn so many sends behind; `LAG_INTERVALS` of `crates/browser/src/tracks.rs`. */
const NEAR_LAG_SENDS = 1.1;

export class Game implements Commands {
  readonly planetInfo: PlanetInfo;
  readonly #parts: GameParts;
  readonly #chat = new ChatLog();
  readonly #names = new Names();
  readonly #clock = new ServerClock();
  readonly #speeds = new Speeds();
  readonly #lots: Lots;
  readonly #placeNames: PlaceNames;
  readonly #gatherer = new IntentGatherer();
  readonly #keyboard: Keyboard;
  readonly #pointer: Pointer;
  readonly #abort = new AbortController();
  /** What got no answer is asked again with the same key, so that nothing is bought twice. */
  readonly #decisions = new Decisions();

  #session: Session;
  #connection: ConnectionState = { kind: "connecting" };
  #welcomed: Welcome | undefined;
  /** How much longer than planned the server's ticks take. */
  #stretch = 1;
  #sentSeq = 0;
  readonly #counted = { frames: 0, bytes: 0, pictures: 0 };
  #own: { readonly body: OwnBody; readonly prediction: Prediction; readonly stream: Stream } | undefined;
  /** What came before the ground on which everybody stands. */
  #waitingFrames: Uint8Array[] = [];
  #waitingFences: Uint8Array[] = [];
  #playback: PlaybackClock | undefined;
  #account: Account | undefined;
  #money: MoneyView | undefined;
  #unread = 0;
  #wasGlobe = false;
  #ownIds: ReadonlySet<string> = new Set();
  #moneyTimer: ReturnType<typeof setTimeout> | undefined;
  #people: readonly NearbyPerson[] = [];
  #lot: LotView | undefined;
  #seen: readonly SeenBody[] = [];
  #fitted: readonly [width: number, height: number, pixelRatio: number] = [0, 0, 0];
  #lastFrameMs: number | undefined;
  #lastHudMs = 0;
  #placeKeptAtMs = Number.NEGATIVE_INFINITY;
  #onWelcome: (() => void) | undefined;

  constructor(parts: GameParts, arriveAt: PlaceLink | undefined) {
    this.#parts = parts;
    this.planetInfo = parts.planetInfo;
    this.#account = parts.identity.account;
    this.#lots = new Lots(
      parts.api,
      parts.planet,
      parts.planetInfo.lotLevel,
      () => this.#ownIds,
      () => {
        // The lot card says that it does not know yet, and the next look asks again.
      },
    );
    this.#placeNames = new PlaceNames((place) => publicApi.namesAt(parts.planetInfo.planetHash, place));
    this.#keyboard = new Keyboard(this.#gatherer);
    this.#pointer = new Pointer(parts.canvas, this.#gatherer);
    this.#session = this.#newSession(arriveAt && this.#placeOf(arriveAt));
    const { signal } = this.#abort;
    window.addEventListener("hashchange", () => this.#followLink(), { signal });
    // On another network, or after a sleep, the connection may have died without a word.
    const hurry = () => this.#session.hurry();
    window.addEventListener("online", hurry, { signal });
    networkOf(navigator)?.addEventListener("change", hurry, { signal });
    document.addEventListener("resume", hurry, { signal });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#rest() : hurry()), {
      signal,
    });
    // Those nearby see one leave at once; coming back by the history button starts afresh.
    window.addEventListener("pagehide", () => this.#session.close(), { signal });
    window.addEventListener("pageshow", (event) => event.persisted && location.reload(), { signal });
    parts.canvas.addEventListener(
      "webglcontextlost",
      () =>
        parts.onBroken(
          new Unplayable(
            "The picture is gone",
            "The graphics driver has taken it away. Load the page again to go on where you are.",
          ),
        ),
      { signal },
    );
    this.#exposeState();
  }

  /** Connects, and resolves when the first body stands on the ground or the server has refused. */
  start(): Promise<void> {
    requestAnimationFrame(this.#frame);
    return new Promise((resolve) => {
      this.#onWelcome = resolve;
      this.#session.start();
    });
  }

  /** A hidden page is not drawn and makes no steps: what was held would be held still when it comes back. */
  #rest(): void {
    this.#gatherer.releaseAll();
  }

  dispose(): void {
    this.#abort.abort();
    clearTimeout(this.#moneyTimer);
    this.#session.close();
    this.#keyboard.dispose();
    this.#pointer.dispose();
    this.#own?.body.dispose();
    this.#own?.stream.dispose();
    this.#parts.world.dispose();
  }

  // ---- what the panels ask for ----

  say = (text: string): boolean => this.#session.send(encodeSay(text));

  claim = async (cell: CellId): Promise<void> => {
    await this.#decide(cell, `claim:${cellToken(cell)}`, async (key) => {
      this.#lots.learn(await this.#parts.api.claim(cell, key), performance.now());
    });
  };

  pick = (cell: CellId): void => {
    this.#lots.pick(cell);
    this.#lookAround(performance.now());
    this.#publish();
  };

  unpickAll = (): void => {
    this.#lots.unpickAll();
    this.#publish();
  };

  claimPicked = async (): Promise<CellId> => {
    const cells = this.#lots.picked?.cells ?? [];
    const [first] = cells;
    if (first === undefined) throw new Declined("No lots are chosen.", true);
    let land = first;
    await this.#decide(first, `claim:${cells.map(cellToken).join()}`, async (key) => {
      const lot = await this.#parts.api.claimAll(cells, key);
      this.#lots.learn(lot, performance.now());
      land = lot.cell;
    });
    this.#lots.unpickAll();
    return land;
  };

  buy = (lot: CellId, listingId: string, priceMinor: number): Promise<void> =>
    this.#decide(lot, `buy:${listingId}:${priceMinor}`, (key) =>
      this.#parts.api.buy(listingId, priceMinor, key),
    );

  bid = (lot: CellId, auctionId: string, maxMinor: number): Promise<void> =>
    this.#decide(lot, `bid:${auctionId}:${maxMinor}`, (key) => this.#parts.api.bid(auctionId, maxMinor, key));

  /** A request that changes who has what: whatever comes of it, what is shown of the land is asked for again. */
  async #decide(lot: CellId, what: string, ask: (key: string) => Promise<void>): Promise<void> {
    try {
      await this.#decisions.make(what, ask, (error) => declined(error).isFinal);
    } catch (error) {
      throw declined(error, (minor) => formatMoney(minor, this.planetInfo.currency));
    } finally {
      this.#lots.changed(lot);
      this.#askMoneySoon();
    }
  }

  renameLot = async (cell: CellId, name: string): Promise<void> => {
    try {
      this.#lots.learn(await this.#parts.api.renameLot(cell, name), performance.now());
    } catch (error) {
      throw declined(error);
    }
  };

  myLots = async (): Promise<readonly Lot[]> => {
    try {
      return await this.#parts.api.myLots();
    } catch (error) {
      throw declined(error);
    }
  };

  updateAccount = async (change: { name?: string; color?: string }): Promise<Account> => {
    try {
      this.#account = await this.#parts.api.updateAccount(change);
      await this.#parts.identity.rename(this.#account);
    } catch (error) {
      throw declined(error);
    }
    this.#publish();
    return this.#account;
  };

  linkTo = (lot?: CellId): string => {
    const { origin, pathname } = location;
    const here = latLngOf(this.#own?.prediction.view().position ?? [1, 0, 0]);
    const link: PlaceLink = lot === undefined ? { kind: "place", place: here } : { kind: "lot", cell: lot };
    return origin + pathname + formatPlaceLink(link);
  };

  travel = (to: PlaceLink): void => {
    this.#session.close();
    this.#session = this.#newSession(this.#placeOf(to));
    this.#session.start();
  };

  turnTowards = (entityId: number): void => {
    const person = this.#people.find(({ id }) => id === entityId);
    if (person) this.#parts.world.look(person.directionRad, 0);
  };

  toggleGlobe = (): void => {
    this.#parts.world.showGlobe(this.#parts.world.view === "ground");
    this.#publish();
  };

  /** Land of one's own and land to be had, for the globe; asked for when it is looked at. */
  async #pinLand(): Promise<void> {
    const { api, planet, world } = this.#parts;
    const [mine, offered] = await Promise.all([api.myLots(), api.offeredLand()]);
    const states = new Map<CellId, LandPin["state"]>(mine.map(({ cell }) => [cell, "mine"]));
    for (const { cell, state } of offered) states.set(cell, state);
    const pins = [...states].map(([cell, state]): LandPin => {
      const direction = planet.centerOf(cell);
      return { at: scale(direction, planet.radiusM), state };
    });
    world.setLandPins(pins);
  }

  vitals = (): Vitals => {
    const { stream, prediction } = this.#own ?? {};
    const sendHz = this.#welcomed?.sendHz ?? 0;
    const bodiesOf = (tier: Tier) =>
      tier === "own" ? Number(stream !== undefined) : this.#seen.filter((body) => body.tier === tier).length;
    const [bytes, updates] = [stream?.tierBytes, stream?.tierUpdates];
    const tiers = TIERS.map((tier, index): [Tier, TierVitals] => [
      tier,
      { bytes: bytes?.[index] ?? 0, updates: updates?.[index] ?? 0, bodies: bodiesOf(tier) },
    ]);
    return {
      atMs: performance.now(),
      carrier: this.#session.carrier,
      roundTripMs: this.#clock.roundTripMs,
      jitterMs: this.#playback?.jitterMs ?? 0,
      behindMs: (this.#playback?.allowanceMs ?? 0) + (sendHz && (NEAR_LAG_SENDS * 1000) / sendHz),
      tickHz: this.#welcomed?.tickHz ?? 0,
      sendHz,
      stretch: this.#stretch,
      ...this.#counted,
      tiers: Object.fromEntries(tiers) as Record<Tier, TierVitals>,
      corrections: prediction?.corrections ?? 0,
      correctionM: prediction?.correctionM ?? 0,
      lastGapMs: this.#session.lastGapMs,
    };
  };

  setQuality = (quality: QualityChoice): void => this.#parts.onQuality(quality);
  setDaylight = (daylight: Daylight): void => {
    this.#parts.skies.daylight = daylight;
    this.#parts.onDaylight(daylight);
  };
  /** A line in the log that nobody said. */
  notice = (text: string): void => {
    this.#chat.notice(text);
    this.#parts.onChat(this.#chat.lines);
  };
  reconnect = (): void => this.#session.retryNow();
  push = (stick: Stick): void => this.#gatherer.push(stick);
  jump = (isHeld: boolean): void =>
    isHeld ? this.#gatherer.press(BUTTON.jump) : this.#gatherer.release(BUTTON.jump);

  /** Where a link leads: a lot to its centre. */
  #placeOf(link: PlaceLink): LatLng {
    return link.kind === "place" ? link.place : latLngOf(this.#parts.planet.centerOf(link.cell));
  }

  // ---- what the server says ----

  #newSession(arriveAt: LatLng | undefined): Session {
    const { identity, core, wayIn } = this.#parts;
    return new Session(
      {
        openLink: () => wayIn.open(),
        distrust: (kind) => wayIn.distrust(kind),
        accessToken: () => identity.accessToken(),
        dropToken: () => identity.dropToken(),
        protocolHash: BigInt.asUintN(64, core.protocol_hash()),
        nowMs: () => performance.now(),
        wallMs: () => Date.now(),
        random: Math.random,
        onState: (state) => this.#connectionIs(state),
      },
      this.#handlers,
      arriveAt,
    );
  }

  readonly #handlers: ServerHandlers = {
    welcome: (welcome) => void this.#arrive(welcome),
    frame: (message) => this.#takeFrame(message),
    said: ({ entityId, displayName, text }) => {
      const isSelf = entityId === this.#welcomed?.entityId;
      this.#chat.said(entityId, displayName, text, isSelf);
      this.#parts.labels.say(entityId, text, performance.now());
      this.#parts.onChat(this.#chat.lines);
    },
    people: ({ people }) => {
      for (const { entityId, accountId, displayName, color } of people) {
        this.#names.learn(entityId, { accountId, name: displayName, color });
      }
    },
    pong: ({ clientTimeMs, serverTimeMs }) =>
      this.#clock.observe(clientTimeMs, performance.now(), serverTimeMs),
    refused: ({ detail, code }) => this.notice(detail || `The planet said no (${code}).`),
    lotChanged: ({ lotToken }) => {
      const cell = parseCellToken(lotToken);
      if (cell !== undefined) this.#lots.changed(cell);
    },
    event: (event) => this.#happened(event),
    fences: (message) => this.#takeFences(message),
    pace: ({ stretch, fromTick }) => {
      this.#stretch = stretch;
      this.#own?.prediction.stretch(stretch);
      this.#playback?.stretch(stretch, Number(fromTick));
    },
    bye: ({ code, detail }) => {
      if (!this.#welcomed) this.#parts.onWaiting(detail);
      if (code === "shutting_down") this.notice("The planet is restarting. Hold on.");
    },
  };

  async #arrive(welcome: Welcome): Promise<void> {
    const { core, planet, ground, world } = this.#parts;
    const { body } = welcome;
    if (!body) throw new MalformedFrame("a welcome without a body");
    const before = this.#own?.prediction.view().position;
    this.#own?.body.dispose();
    this.#own?.stream.dispose();
    this.#own = undefined;
    this.#waitingFrames = [];
    this.#waitingFences = [];
    // In the same body everybody has the number they had.
    if (!welcome.resumed || welcome.entityId !== this.#welcomed?.entityId) this.#names.clear();
    this.#welcomed = welcome;
    this.#playback = undefined;
    this.#stretch = 1;
    this.#lots.forget();
    this.#account ??= this.#parts.identity.account;
    this.#askMoneySoon();
    const start = {
      position: [body.px, body.py, body.pz],
      velocity: [body.vx, body.vy, body.vz],
      facing: [body.fx, body.fy, body.fz],
      mode: modeOf(body.mode),
    } as const;
    try {
      await ground.prepare(start.position);
    } catch (error) {
      this.#parts.onBroken(error);
      return;
    }
    // Another connection has been made meanwhile, or the page has been left.
    if (this.#welcomed !== welcome || this.#abort.signal.aborted) return;
    const own = new OwnBody(core, planet.handle, start, welcome.lastInputSeq, welcome.tickHz);
    const tickMs = 1000 / welcome.tickHz;
    const prediction = new Prediction(own, tickMs);
    this.#playback = new PlaybackClock(tickMs);
    if (this.#stretch !== 1) {
      prediction.stretch(this.#stretch);
      this.#playback.stretch(this.#stretch, Number(welcome.tick));
    }
    if (before) prediction.glideFrom(before);
    const stream = new Stream(core, planet.handle, Math.max(1, Math.round(welcome.tickHz / welcome.sendHz)));
    this.#own = { body: own, prediction, stream };
    for (const message of this.#waitingFences.splice(0)) this.#takeFences(message);
    for (const message of this.#waitingFrames.splice(0)) this.#takeFrame(message, false);
    if (!before || distance(before, start.position) > SAME_PLACE_M) {
      void world.arriveAt(start.position, start.facing);
    }
    // The link has been followed: reloading later should not lead back here.
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    this.#onWelcome?.();
  }

  /** `isNew`: it has come just now, and tells how quick the network is. */
  #takeFrame(message: Uint8Array, isNew = true): void {
    const own = this.#own;
    if (!own) {
      this.#waitingFrames = [...this.#waitingFrames.slice(1 - WAITING_FRAMES_MAX), message];
      return;
    }
    const before = own.stream.tick;
    own.stream.apply(message);
    const missed = own.stream.takeMissed();
    if (missed) this.#session.send(missed);
    this.#counted.frames += 1;
    this.#counted.bytes += message.length;
    // A later part of a frame, or one that comes late, tells nothing new of ourselves.
    if (own.stream.tick === before) return;
    if (isNew) this.#playback?.observe(own.stream.tick, performance.now());
    own.prediction.confirmed(own.stream.lastInputSeq, own.body.reconcile(own.stream));
  }

  /** Each tells what has changed since the last, so none may be left out. */
  #takeFences(message: Uint8Array): void {
    const own = this.#own;
    if (own) own.prediction.repeated(own.body.takeFences(message));
    else this.#waitingFences.push(message);
  }

  /** The lots nearby that our body may not enter; the same array until that changes. */
  get closedLots(): readonly CellId[] {
    return this.#own?.body.closedLots ?? [];
  }

  #connectionIs(state: ConnectionState): void {
    this.#connection = state;
    if (state.kind === "refused") this.#onWelcome?.();
    this.#publish();
  }

  /** Something happened to us or near us. */
  #happened({ kind, eventId, dataJson }: ServerEvent): void {
    const data: unknown = (() => {
      try {
        return JSON.parse(dataJson);
      } catch {
        return undefined;
      }
    })();
    for (const token of tokensOf(data)) {
      const cell = parseCellToken(token);
      if (cell !== undefined) this.#lots.changed(cell);
    }
    this.#askMoneySoon();
    this.#parts.onHappened({ kind, eventId, data });
  }

  /** Several events of one deed come together: one question answers them all. */
  #askMoneySoon(): void {
    clearTimeout(this.#moneyTimer);
    this.#moneyTimer = setTimeout(() => void this.#askMoney(), MONEY_SETTLE_MS);
  }

  async #askMoney(): Promise<void> {
    const { api } = this.#parts;
    try {
      [this.#money, this.#unread, this.#ownIds] = await Promise.all([
        api.money(this.planetInfo.currency.code),
        api.unreadCount(),
        api.ownIds(this.#account?.accountId),
      ]);
    } catch {
      // Shown as it was, or as unknown; the next event, claim or connection asks again.
    }
  }

  #followLink(): void {
    const link = parsePlaceLink(location.hash);
    if (link) this.travel(link);
  }

  // ---- once a frame ----

  readonly #frame = (nowMs: number): void => {
    if (this.#abort.signal.aborted) return;
    const elapsedMs = Math.max(0, nowMs - (this.#lastFrameMs ?? nowMs));
    this.#lastFrameMs = nowMs;
    try {
      this.#keyboard.frame(elapsedMs);
      this.#apply(this.#gatherer.take(), elapsedMs);
      this.#showBodies(nowMs, elapsedMs);
      this.#showHeaven();
      this.#fitCanvas();
      this.#parts.world.frame(nowMs);
      this.#counted.pictures += 1;
      this.#placeLabels(performance.now());
      if (nowMs - this.#lastHudMs >= HUD_INTERVAL_MS) {
        this.#lastHudMs = nowMs;
        this.#lookAround(performance.now());
        this.#publish();
      }
    } catch (error) {
      this.#parts.onBroken(error);
      return;
    }
    requestAnimationFrame(this.#frame);
  };

  /** The one place where wishes become deeds. */
  #apply(intents: Intents, elapsedMs: number): void {
    const { world } = this.#parts;
    // Whoever starts walking has seen enough of the flight.
    if (intents.turnRad !== 0 || intents.riseRad !== 0 || intents.buttons !== 0) {
      world.look(intents.turnRad, intents.riseRad);
    }
    if (intents.zoomFactor !== 1) world.zoom(intents.zoomFactor);
    for (const action of intents.actions) this.#parts.onAction(action);

    const own = this.#own;
    if (!own || this.#connection.kind !== "online") return;
    // A step on other ground than the server's would be taken back.
    if (!this.#parts.ground.isReady(own.body.state.position)) return;
    const isWalking = world.view === "ground";
    own.prediction.advance(elapsedMs, () => {
      const { position } = own.body.state;
      // A stick has any angle: the look that the step is told is turned, as the keys only know eight.
      const look = rotate(
        tangent(world.heading, normalize(position)),
        normalize(position),
        -intents.walkAngleRad,
      );
      return { buttons: isWalking ? intents.buttons : 0, look };
    });
    this.#sendInputs(own.body);
  }

  /** Where messages may be lost, each carries what was not answered yet. */
  #sendInputs(body: OwnBody): void {
    if (!this.#session.mayLose) {
      for (const message of body.takeInputs()) this.#session.send(message);
      return;
    }
    if (body.lastSeq === this.#sentSeq) return;
    this.#sentSeq = body.lastSeq;
    const message = body.repeatInputs();
    if (message) this.#session.sendQuick(message);
  }

  #showBodies(nowMs: number, elapsedMs: number): void {
    const { world } = this.#parts;
    const own = this.#own;
    if (!own) return;
    const { position, velocity, facing, mode } = own.prediction.view();
    const selfId = this.#welcomed?.entityId ?? 0;
    const self = { id: selfId, position, facing, mode, speedMps: levelSpeed(velocity, position) };
    world.setSelf({ ...self, color: colorNumber(this.#account?.color) });

    const tick = this.#playback?.at(performance.now());
    // After a loss of the connection they are shown as they were until the first frame.
    if (tick !== undefined) this.#seen = own.stream.at(tick).filter(({ id }) => id !== selfId);
    const others: BodyView[] = this.#seen.map((body) => ({
      ...body,
      speedMps: this.#speeds.of(body.id, body.position, elapsedMs),
      color: this.#names.get(body.id)?.color ?? STRANGER_COLOR,
    }));
    this.#speeds.keep(this.#seen);
    world.setOthers(others);
    const ids = this.#seen.map(({ id }) => id);
    const unknown = this.#names.toAsk(ids, nowMs, ENTITIES_PER_QUESTION_MAX);
    if (unknown.length > 0) this.#session.send(encodeWhoIs(unknown));
  }

  #showHeaven(): void {
    const { skies, world } = this.#parts;
    skies.show(world, this.#unixMs());
  }

  /** The server's time; before its first answer this computer's clock will do. */
  #unixMs(): number {
    return this.#clock.at(performance.now()) ?? Date.now();
  }

  #placeLabels(nowMs: number): void {
    const { world, labels } = this.#parts;
    const places: LabelPlace[] = [];
    const place = (id: number, position: Vec3, isSwimming: boolean, isSelf: boolean) => {
      const spot = world.project(position, isSwimming ? HEAD_SWIMMING_M : HEAD_M);
      const person = this.#names.get(id);
      const color = colorText(person?.color ?? STRANGER_COLOR);
      if (spot) places.push({ id, ...spot, isSelf, name: person?.name ?? "", color });
    };
    if (world.view === "ground") {
      const self = this.#own?.prediction.view();
      for (const { id, position, mode } of nearest(this.#seen, self?.position)) {
        place(id, position, mode === "swimming", false);
      }
      if (self && this.#welcomed)
        place(this.#welcomed.entityId, self.position, self.mode === "swimming", true);
    }
    labels.place(places, nowMs);
  }

  /** The slower half: who is near, which lot is looked at. */
  #lookAround(nowMs: number): void {
    const { world, planet } = this.#parts;
    const own = this.#own;
    if (!own) return;
    const { position } = own.prediction.view();
    const up = normalize(position);
    const ahead = tangent(world.heading, up);
    const right = cross(ahead, up);
    this.#people = this.#seen
      .flatMap(({ id, position: there }) => {
        const person = this.#names.get(id);
        if (!person) return [];
        const offset = subtract(there, position);
        return {
          id,
          accountId: person.accountId,
          name: person.name,
          color: colorText(person.color),
          distanceM: distance(there, position),
          directionRad: Math.atan2(dot(offset, right), dot(offset, ahead)),
        };
      })
      .sort((a, b) => a.distanceM - b.distanceM);
    this.#lots.walkTo(position, nowMs);
    this.#parts.ground.lookAhead(position).catch(this.#parts.onBroken);
    const gazed = world.lotAtGaze();
    const cell =
      (gazed === null ? undefined : parseCellToken(gazed)) ??
      planet.cellAt(position, this.planetInfo.lotLevel);
    this.#lot = this.#lots.lookAt(cell, position, nowMs);
    this.#lots.setClosed(this.closedLots);
    world.setLots(this.#lots.onGround);
    world.setFences(this.#lots.fences);
    this.#keepPlace(position, nowMs);
  }

  /** For the pages beside the world, which look for land near here. */
  #keepPlace(position: Vec3, nowMs: number): void {
    if (nowMs - this.#placeKeptAtMs < PLACE_KEPT_EVERY_MS) return;
    this.#placeKeptAtMs = nowMs;
    keepPlace(latLngOf(position));
  }

  #fitCanvas(): void {
    const { canvas, world, pixelsMax } = this.#parts;
    const { clientWidth, clientHeight } = canvas;
    const affordable = Math.sqrt(pixelsMax / Math.max(1, clientWidth * clientHeight));
    const pixelRatio = Math.min(devicePixelRatio, affordable);
    const size = [clientWidth, clientHeight, pixelRatio] as const;
    if (size.every((value, index) => value === this.#fitted[index])) return;
    this.#fitted = size;
    world.resize(...size);
  }

  #publish(): void {
    const isGlobe = this.#parts.world.view === "globe";
    if (isGlobe && !this.#wasGlobe) {
      this.#pinLand().catch(() => {
        // The globe is as it was; the next look asks again.
      });
    }
    this.#wasGlobe = isGlobe;
    this.#parts.onHud({
      connection: this.#connection,
      roundTripMs: this.#clock.roundTripMs,
      account: this.#account,
      place: this.#placeView(),
      people: this.#people,
      lot: this.#lot,
      money: this.#money,
      picked: this.#lots.picked,
      unread: this.#unread,
      isGlobe,
    });
  }

  #placeView(): Hud["place"] {
    const own = this.#own;
    if (!own) return undefined;
    const { position, mode } = own.prediction.view();
    const { planet } = this.#parts;
    const latLng = latLngOf(position);
    this.#placeNames.walkTo(position, latLng, performance.now());
    return {
      latLng,
      names: this.#placeNames.names,
      biome: planet.biomeName(position),
      altitudeM: Math.hypot(...position) - planet.radiusM,
      sky: this.#parts.skies.line(position, this.#unixMs()),
      isSwimming: mode === "swimming",
    };
  }

  /** For tests of the whole system: what this page believes, and a way to look elsewhere, never to be elsewhere. */
  #exposeState(): void {
    const game = this;
    Object.defineProperty(window, "__terrane", {
      configurable: true,
      value: {
        get connection() {
          return game.#connection.kind;
        },
        get entityId() {
          return game.#welcomed?.entityId;
        },
        get account() {
          return game.#account;
        },
        get position() {
          return game.#own?.prediction.view().position;
        },
        get latLng() {
          const position = game.#own?.prediction.view().position;
          return position && latLngOf(position);
        },
        get people() {
          return game.#people;
        },
        get seen() {
          return game.#seen;
        },
        get lot() {
          return game.#lot && { ...game.#lot, cell: cellToken(game.#lot.cell) };
        },
        get closedLots() {
          return game.closedLots.map(cellToken);
        },
        get corrections() {
          return game.#own?.prediction.corrections;
        },
        get carrier() {
          return game.#session.carrier;
        },
        get vitals() {
          return game.vitals();
        },
        get isIdle() {
          return game.#parts.world.idle;
        },
        get view() {
          return game.#parts.world.view;
        },
        get stats() {
          return game.#parts.world.stats();
        },
        /**
         * Looks from a place without a body, at a share of the local day and in a weather; undefined gives the view
         * and the planet's sky back.
         */
        async lookFrom(place: CameraPlace | undefined, dayShare?: number, weather?: WeatherKind) {
          const { ground, skies, world } = game.#parts;
          if (place) skies.fix(dayShare, weather);
          else skies.release();
          // How high the ground is there is known for sure only with its tiles.
          if (place) await ground.prepare(latLngToUnit(place.at));
          world.setCamera(place);
        },
        /** Sun, moon and weather over a point at a time of the server, as this page computes them. */
        skyAt(point: Vec3, unixMs: number) {
          const { skies } = game.#parts;
          return { ...skies.heavenAt(unixMs), weather: skies.weatherAt(point, unixMs) };
        },
        get serverTimeMs() {
          return game.#clock.at(performance.now());
        },
      },
    });
  }
}

/** What the browser knows of the network, where it tells. */
function networkOf(browser: object): EventTarget | undefined {
  const connection: unknown = Reflect.get(browser, "connection");
  return connection instanceof EventTarget ? connection : undefined;
}

/** The lots and parcels that the data of an event names. */
function tokensOf(data: unknown): readonly string[] {
  if (typeof data !== "object" || data === null) return [];
  return ["parcel", "token", "parcels", "cells"].flatMap((name) => {
    const value: unknown = Reflect.get(data, name);
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.filter((item) => typeof item === "string");
  });
}

/** Speed along the ground; falling makes no steps. */
function levelSpeed(velocity: Vec3, position: Vec3): number {
  const up = normalize(position);
  const rise = dot(velocity, up);
  return Math.sqrt(Math.max(0, dot(velocity, velocity) - rise * rise));
}

/** Those who get a label: finding out who is hidden by a hill costs too much for a thousand. */
function nearest(seen: readonly SeenBody[], from: Vec3 | undefined): readonly SeenBody[] {
  if (!from) return [];
  return seen
    .map((body) => ({ body, distanceM: distance(body.position, from) }))
    .filter(({ distanceM }) => distanceM <= LABELS_WITHIN_M)
    .sort((a, b) => a.distanceM - b.distanceM)
    .slice(0, LABELS_MAX)
    .map(({ body }) => body);
}

const colorText = (color: number): string => `#${color.toString(16).padStart(6, "0")}`;
const colorNumber = (color: string | undefined): number =>
  /^#[0-9a-f]{6}$/i.test(color ?? "") ? Number.parseInt((color ?? "").slice(1), 16) : STRANGER_COLOR;
