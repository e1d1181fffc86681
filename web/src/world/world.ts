/**
 * The world on the screen, from the globe to a blade of grass: the public face of this folder.
 *
 * {@link World.create} starts workers and shaders; call {@link World.frame} once per animation frame after saying where
 * everybody is. Nothing here knows the server: what is shown is what was last set.
 *
 * The eye is always at (0, 0, 0): positions are doubles from the planet's centre until the eye's is subtracted.
 */
import {
  type DataTexture,
  Matrix4,
  PerspectiveCamera,
  Quaternion,
  Scene,
  Vector3,
  Vector4,
  WebGLRenderer,
} from "three";
import type { Planet } from "../core/planet.ts";
import type { TileSource } from "../core/tile_source.ts";
import { type LatLng, latLngToUnit } from "../geo/lat_lng.ts";
import {
  addScaled,
  distance,
  dot,
  length,
  normalize,
  scale,
  subtract,
  tangent,
  type Vec3,
} from "../geo/vec3.ts";
import { airOf, airUniforms, lightFrom, lightTable, MOON_TINT } from "./atmosphere.ts";
import { type CameraPlace, poseAt } from "./camera_place.ts";
import { Clouds, cloudHeightM } from "./clouds.ts";
import { type Heaven, moonPhase } from "./daylight.ts";
import { Fences, type FenceView } from "./fences.ts";
import { Groundwork } from "./groundwork.ts";
import { type LandPin, LandPins } from "./land_pins.ts";
import { LotOverlay, type LotView, lotTokenAt } from "./lot_overlay.ts";
import { LotPosts, Pin } from "./markers.ts";
import type { Built, Job } from "./messages.ts";
import { noiseTexture } from "./noise_texture.ts";
import { BIOME_TINTS, paletteTexture } from "./palette.ts";
import { type BodyView, People } from "./people.ts";
import { Plants } from "./plants.ts";
import { Precipitation } from "./precipitation.ts";
import { type Device, type Quality, type QualitySettings, settingsFor } from "./quality.ts";
import { Resolution } from "./resolution.ts";
import { basisOf, gazePoint, isHidden, type Pose } from "./rig.ts";
import { Shadows } from "./shadows.ts";
import { Sky } from "./sky.ts";
import { Terrain } from "./terrain.ts";
import { View } from "./view.ts";
import { gloomOf, veilOf, type WeatherView } from "./weather.ts";
import { WeatherMap } from "./weather_map.ts";

export type { Vec3 } from "../geo/vec3.ts";
export type { CameraPlace } from "./camera_place.ts";
export type { FenceView } from "./fences.ts";
export type { LandPin } from "./land_pins.ts";
export type { LotState, LotView } from "./lot_overlay.ts";
export type { BodyView } from "./people.ts";
export type { Quality } from "./quality.ts";
export type { WeatherView } from "./weather.ts";

export interface WorldOptions {
  readonly canvas: HTMLCanvasElement;
  /** The compiled planet code (see `core/wasm.ts`); workers make instances of their own. */
  readonly module: WebAssembly.Module;
  /** The page's own planet, and what workers make theirs from. */
  readonly planet: Planet;
  readonly planetHash: string;
  readonly manifest: Uint8Array;
  readonly tiles: TileSource;
  /** Who builds the ground. */
  readonly groundFrom: "workers" | "server";
  /** Told once when the server has to build it, and why. */
  readonly onServerGround: (reason: string) => void;
  /** Where newcomers come to stand, if that is known: it is kept free. */
  readonly arrival?: LatLng | undefined;
  readonly quality: Quality;
  /** Whether the picture may lose pixels to stay smooth. */
  readonly isAdaptive: boolean;
  readonly device: Device;
  readonly reducedMotion: boolean;
}

export interface WorldStats {
  readonly tilesDrawn: number;
  readonly tilesReady: number;
  readonly pending: number;
  readonly drawCalls: number;
  readonly triangles: number;
  /** Median milliseconds of JavaScript of the last hundred frames. */
  readonly mainMs: number;
  readonly workerMs: number;
  readonly eyeAltitudeM: number;
}

/** So many tiles are built before the first patches of plants. */
const TILES_BEFORE_PLANTS = 24;
const FOV_LANDSCAPE_DEG = 58;
const FOV_PORTRAIT_DEG = 72;
/** Lots are looked at within this distance of oneself. */
const GAZE_REACH_M = 110;
/** And found again this often: marching along the line of sight costs hundreds of heights. */
const GAZE_EVERY_MS = 100;
/** Posts are set anew after this many metres. */
const POSTS_AGAIN_M = 20;
/** Lots and shadows stop mattering above this height of the eye. */
const NEAR_GROUND_M = 900;
/** Light of the moonlit air at the horizon. */
const NIGHT_AIR: Vec3 = [0.012, 0.02, 0.042];

const clamp01 = (value: number) => Math.max(0, Math.min(1, value));

export class World {
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(FOV_LANDSCAPE_DEG, 1, 0.1, 1e6);
  private readonly shadows: Shadows;
  private readonly lots: LotOverlay;
  private readonly terrain: Terrain;
  private readonly sky: Sky;
  private readonly clouds: Clouds;
  private readonly precipitation: Precipitation;
  private readonly weatherMap = new WeatherMap();
  private readonly people: People;
  private readonly plants: Plants;
  private readonly posts: LotPosts;
  private readonly fences: Fences;
  private readonly pin: Pin;
  private readonly landPins: LandPins;
  private readonly viewpoint: View;
  private readonly reducedMotion: boolean;
  private readonly textures: readonly { dispose(): void }[];
  private readonly uniforms;
  private readonly light: DataTexture;
  private readonly cloudsM: number;
  private readonly pixelRatio = { value: 1 };
  private readonly resolution: Resolution | undefined;
  private deviceRatio = 1;
  private self: BodyView | undefined;
  private hasSelf = false;
  private gazedLot: string | undefined;
  private gazedAtMs = 0;
  private lotViews: readonly LotView[] = [];
  private fenceViews: readonly FenceView[] = [];
  /** Where the player was when the posts were set. */
  private postsFrom: Vec3 | undefined;
  private others: readonly BodyView[] = [];
  private weather: WeatherView | undefined;
  private isWeatherOther = false;
  private heaven: Heaven = { sun: [0, 0, 1], moon: [0, 0, -1] };
  private cameraPlace: CameraPlace | undefined;
  /** Since the camera was put where it is: what the first one shows is not yet lit for the place. */
  private framesHere = 0;
  private pose: Pose;
  private lastFrameMs: number | undefined;
  private widthPx = 1;
  private heightPx = 1;
  private mainMs: number[] = [];
  private failure: Error | undefined;
  /** Whether the last frame wanted nothing that was not there. */
  private isComplete = false;

  /** Height of what the eye must not go below: the ground, or the water over it. */
  private readonly surfaceM = (point: Vec3): number => {
    const { elevationM, waterM } = this.planet.groundAt(point);
    return Math.max(elevationM, waterM ?? elevationM);
  };

  private constructor(
    private readonly renderer: WebGLRenderer,
    private readonly planet: Planet,
    private readonly settings: QualitySettings,
    options: WorldOptions,
    private readonly groundwork: Groundwork,
    events: WorkEvents,
  ) {
    this.resolution = options.isAdaptive ? new Resolution() : undefined;
    const { radiusM, shift } = planet;
    // Earth's highest, by the scale of relief: peaks shrink slower than planets.
    const reliefM = 10_000 * 2 ** ((-2 * shift) / 3);
    this.cloudsM = cloudHeightM(radiusM, reliefM);
    const air = airOf(radiusM);
    const table = lightTable(air);
    this.light = table;
    const noise = noiseTexture();
    const palette = paletteTexture();
    this.textures = [table, noise, palette];
    this.shadows = new Shadows(renderer, settings.shadowTexels, settings.shadowRadiusM);
    const lotLevel = 15 + 3 - shift;
    this.lots = new LotOverlay(lotLevel);
    const airValues = airUniforms(air, table);
    this.uniforms = {
      ...airValues,
      ...this.shadows.uniforms,
      uNoise: { value: noise },
      uPlayer: { value: new Vector3() },
      uWeather: { value: this.weatherMap.texture },
      uWeatherHere: { value: new Vector3() },
      uLotScale: { value: [(radiusM * Math.PI) / 2 / 2 ** lotLevel, 0] },
    };
    this.terrain = new Terrain(this.scene, {
      radiusM,
      reliefM,
      quads: settings.tileQuads,
      tilesMax: settings.tilesMax,
      defines: settings.defines,
      // A tile of 32 quads at level 15 has a vertex every metre on a planet of shift 3.
      levelMax: 15 + 3 - shift + (settings.tileQuads === 16 ? 1 : 0),
      uniforms: {
        ...this.uniforms,
        uPalette: { value: palette },
        uBiomeTint: { value: BIOME_TINTS },
        uLots: { value: this.lots.texture },
        uTreesM: { value: Math.max(settings.treeRadiusM, settings.canopyRadiusM) },
      },
      lotPlaceOf: (cell) => this.lots.placeOf(cell),
    });
    this.sky = new Sky(this.scene, this.uniforms, radiusM, this.pixelRatio);
    this.clouds = new Clouds(this.scene, this.uniforms, radiusM, this.cloudsM, settings.defines);
    // Falling drops are the liveliest motion there is: who wants less gets the veil of rain alone.
    const drops = options.reducedMotion ? 0 : settings.dropsMax;
    this.precipitation = new Precipitation(this.scene, this.uniforms, drops);
    this.people = new People(this.scene, this.shadows.scene, this.uniforms);
    this.plants = new Plants(this.scene, this.shadows.scene, {
      radiusM,
      shift,
      reach: {
        treesM: settings.treeRadiusM,
        grassM: settings.grassRadiusM,
        canopyM: settings.canopyRadiusM,
      },
      clearings: options.arrival ? [latLngToUnit(options.arrival)] : [],
      uniforms: { ...this.uniforms, uPalette: { value: palette } },
    });
    this.posts = new LotPosts(this.scene, this.shadows.scene, this.uniforms, this.surfaceM, radiusM);
    this.fences = new Fences(this.scene, this.shadows.scene, this.uniforms, this.surfaceM, radiusM);
    this.pin = new Pin(this.scene, this.uniforms);
    this.landPins = new LandPins(this.scene, this.uniforms);
    this.reducedMotion = options.reducedMotion;
    this.viewpoint = new View(radiusM, this.surfaceM, options.reducedMotion, [radiusM, 0, 0]);
    this.pose = this.viewpoint.pose(0);
    events.onBuilt = (built) => this.accept(built);
    events.onFailed = (reason) => {
      this.failure = new Error(reason);
    };
  }

  /** Resolves when the whole globe can be drawn; frames may be asked for from then on. */
  static async create(options: WorldOptions): Promise<World> {
    const settings = settingsFor(options.quality, options.device);
    const renderer = new WebGLRenderer({
      canvas: options.canvas,
      antialias: settings.antialias,
      powerPreference: "high-performance",
    });
    renderer.info.autoReset = false;
    // What is built goes to the world, which is made after those who build.
    const events: WorkEvents = { onBuilt: () => {}, onFailed: () => {} };
    const groundwork = await Groundwork.start(
      {
        ...options,
        radiusM: options.planet.radiusM,
        from: options.groundFrom,
        fineTilesMax: settings.rasterTilesMax,
      },
      {
        onBuilt: (built) => events.onBuilt(built),
        onFailed: (reason) => events.onFailed(reason),
      },
    );
    const world = new World(renderer, options.planet, settings, options, groundwork, events);
    await world.makeWhole(events);
    return world;
  }

  setSelf(body: BodyView | null): void {
    this.self = body ?? undefined;
    if (!body) return;
    if (!this.hasSelf) this.viewpoint.startAt(body.position, body.facing);
    this.hasSelf = true;
    this.viewpoint.ground.follow(body.position);
  }

  setOthers(bodies: readonly BodyView[]): void {
    this.others = bodies;
  }

  /** The lots around; the same array again costs nothing. */
  setLots(lots: readonly LotView[]): void {
    if (lots === this.lotViews) return;
    this.lotViews = lots;
    this.lots.setLots(lots);
    this.postsFrom = undefined;
  }

  /** Land with fences around; the same array again costs nothing. */
  setFences(fences: readonly FenceView[]): void {
    if (fences === this.fenceViews) return;
    this.fenceViews = fences;
    this.postsFrom = undefined;
  }

  /** Land to point out on the globe. */
  setLandPins(pins: readonly LandPin[]): void {
    this.landPins.set(pins);
  }

  /** Where sun and moon are. */
  setHeaven(heaven: Heaven): void {
    this.heaven = heaven;
  }

  /** What the weather is at the eye and all over the planet. */
  setWeather(weather: WeatherView): void {
    this.isWeatherOther ||= weather.key !== this.weather?.key;
    this.weather = weather;
  }

  /** Looks from a place of its own instead of from behind the body; undefined gives the view back. */
  setCamera(place: CameraPlace | undefined): void {
    this.cameraPlace = place;
    this.framesHere = 0;
  }

  /** Where the eye was in the last frame, metres from the planet's centre. */
  get eye(): Vec3 {
    return this.pose.eye;
  }

  /** Turns the view to the right by `dxRad` and up by `dyRad`; on the globe, turns the globe. */
  look(dxRad: number, dyRad: number): void {
    this.viewpoint.look(dxRad, dyRad);
  }

  /** Goes nearer (below 1) or farther; beyond the farthest the view rises to the globe, and back. */
  zoom(factor: number): void {
    this.viewpoint.zoom(factor);
  }

  /** The unit vector along the ground that counts as "forward" for the keys. */
  get heading(): Vec3 {
    return this.viewpoint.ground.heading;
  }

  /** The token of the lot in the middle of the view, if that is near enough. */
  lotAtGaze(): string | null {
    return this.gazedLot ?? null;
  }

  /** Where a point `heightM` above `p` is on the canvas, CSS pixels; null when behind the eye or the land. */
  project(p: Vec3, heightM: number): { x: number; y: number; distanceM: number } | null {
    const point = addScaled(p, normalize(p), heightM);
    const [x, y, z] = subtract(point, this.pose.eye);
    const clip = new Vector4(x, y, z, 1)
      .applyMatrix4(this.camera.matrixWorldInverse)
      .applyMatrix4(this.camera.projectionMatrix);
    if (clip.w <= 0 || Math.abs(clip.x) > clip.w * 1.2 || Math.abs(clip.y) > clip.w * 1.2) return null;
    if (isHidden(this.pose.eye, point, this.surfaceM, this.planet.radiusM)) return null;
    return {
      x: (clip.x / clip.w / 2 + 0.5) * this.widthPx,
      y: (0.5 - clip.y / clip.w / 2) * this.heightPx,
      distanceM: Math.sqrt(x * x + y * y + z * z),
    };
  }

  /** Rises to see the whole planet, or comes back. */
  showGlobe(on: boolean): void {
    this.viewpoint.showGlobe(on);
  }

  get view(): "ground" | "globe" {
    return this.viewpoint.kind;
  }

  /** Flies down from the globe to a place; resolves on landing. Looking around or zooming lands at once. */
  arriveAt(position: Vec3, facing: Vec3): Promise<void> {
    return this.viewpoint.arriveAt(position, facing);
  }

  /** Sizes in CSS pixels. */
  resize(width: number, height: number, devicePixelRatio: number): void {
    this.widthPx = Math.max(1, width);
    this.heightPx = Math.max(1, height);
    this.deviceRatio = devicePixelRatio;
    this.pixelRatio.value =
      Math.min(devicePixelRatio, this.settings.pixelRatioMax) * (this.resolution?.share ?? 1);
    this.renderer.setPixelRatio(this.pixelRatio.value);
    this.renderer.setSize(this.widthPx, this.heightPx, false);
    this.camera.aspect = this.widthPx / this.heightPx;
    this.camera.fov = this.camera.aspect < 1 ? FOV_PORTRAIT_DEG : FOV_LANDSCAPE_DEG;
  }

  /** Draws one frame; `nowMs` is the animation frame's time. Throws if nobody can build the ground any more. */
  frame(nowMs: number): void {
    if (this.failure) throw this.failure;
    const startedMs = performance.now();
    const dtS = Math.min(1, Math.max(0, (nowMs - (this.lastFrameMs ?? nowMs)) / 1000));
    this.lastFrameMs = nowMs;
    if (this.resolution?.observe(nowMs)) this.resize(this.widthPx, this.heightPx, this.deviceRatio);
    // Waves and clouds stand still for a camera that is to see the same picture every time.
    this.uniforms.uTimeS.value = this.cameraPlace ? 0 : (nowMs / 1000) % 3600;

    const { planet } = this;
    this.pose = this.cameraPlace
      ? poseAt(this.cameraPlace, this.surfaceM, planet.radiusM)
      : this.viewpoint.pose(dtS);
    const { eye } = this.pose;
    const altitudeM = this.aimCamera();
    this.lightUp(eye, altitudeM);
    this.showWeather(eye, altitudeM, nowMs, dtS);
    this.updateLots(eye, altitudeM, nowMs);
    this.people.update(this.bodies(altitudeM), eye, dtS);
    const wanted = this.wantedJobs(eye, altitudeM, nowMs);
    this.isComplete = wanted.length === 0;
    this.groundwork.want(wanted);
    this.sky.update(eye, this.heaven.sun);
    this.clouds.update(eye, this.weather?.ageS ?? 0);
    const grown = Math.max(0, this.viewpoint.heightShare * 2 - 1);
    this.pin.update(this.self?.position, eye, grown);
    this.landPins.update(eye, grown);

    this.renderer.info.reset();
    this.drawShadows(eye, altitudeM);
    this.renderer.render(this.scene, this.camera);
    this.framesHere += 1;
    this.mainMs = [...this.mainMs.slice(-99), performance.now() - startedMs];
  }

  /** Whether everything that this view wants has been built. */
  get idle(): boolean {
    return (
      this.isComplete && this.framesHere > 2 && this.groundwork.pendingCount === 0 && !this.viewpoint.isFlying
    );
  }

  stats(): WorldStats {
    const { render } = this.renderer.info;
    return {
      tilesDrawn: this.terrain.drawnCount,
      tilesReady: this.terrain.readyCount,
      pending: this.groundwork.pendingCount,
      drawCalls: render.calls,
      triangles: render.triangles,
      mainMs: this.mainMs.toSorted((a, b) => a - b)[this.mainMs.length >> 1] ?? 0,
      workerMs: this.groundwork.medianWorkMs,
      eyeAltitudeM: length(this.pose.eye) - this.planet.radiusM,
    };
  }

  /** Frees everything; the world is not to be used afterwards. */
  dispose(): void {
    this.groundwork.dispose();
    this.terrain.dispose();
    this.people.dispose();
    this.plants.dispose();
    this.posts.dispose();
    this.pin.dispose();
    this.landPins.dispose();
    this.sky.dispose();
    this.clouds.dispose();
    this.precipitation.dispose();
    this.weatherMap.dispose();
    this.shadows.dispose();
    this.lots.dispose();
    this.fences.dispose();
    for (const texture of this.textures) texture.dispose();
    this.renderer.dispose();
  }

  /** Waits for the coarsest tiles of the whole globe. */
  private makeWhole(events: WorkEvents): Promise<void> {
    return new Promise((resolve, reject) => {
      const { onBuilt, onFailed } = events;
      events.onFailed = (reason) => reject(new Error(reason));
      events.onBuilt = (built) => {
        onBuilt(built);
        if (!this.terrain.isWhole) return;
        Object.assign(events, { onBuilt, onFailed });
        resolve();
      };
      this.groundwork.want(this.terrain.wholeJobs());
    });
  }

  /** What detail gathers round: the person, or the ground below a camera without one. */
  private stand(eye: Vec3): Vec3 {
    if (this.self && !this.cameraPlace) return this.self.position;
    return scale(normalize(eye), this.planet.radiusM + Math.max(0, this.surfaceM(eye)));
  }

  private accept({ kind, key, bytes }: Built): void {
    if (kind === "tile") this.terrain.accept(key, bytes);
    else this.plants.accept(key, bytes);
  }

  private bodies(altitudeM: number): readonly BodyView[] {
    if (altitudeM > NEAR_GROUND_M * 4) return [];
    // A camera without a body is one without a body.
    return this.self && !this.cameraPlace ? [this.self, ...this.others] : this.others;
  }

  /** Chooses what to draw of land and plants, and returns what has to be made for it, most urgent first. */
  private wantedJobs(eye: Vec3, altitudeM: number, nowMs: number): Job[] {
    const tiles = this.terrain.update(this.camera, eye, this.settings.splitDistance);
    if (altitudeM > NEAR_GROUND_M) {
      this.plants.hide();
      return tiles;
    }
    const plants = this.plants.update(this.stand(eye), eye, nowMs);
    // The ground first, but a patch now and then between the tiles, so that woods do not wait for the horizon.
    if (tiles.length <= TILES_BEFORE_PLANTS) return [...tiles, ...plants];
    const [urgent, later] = [tiles.slice(0, TILES_BEFORE_PLANTS), tiles.slice(TILES_BEFORE_PLANTS)];
    return [...urgent, ...plants.slice(0, 4), ...later];
  }

  /** Points the camera and sets its depth planes; returns the eye's height over ground or water. */
  private aimCamera(): number {
    const { eye } = this.pose;
    const { radiusM } = this.planet;
    const { right, up, back } = basisOf(this.pose);
    const basis = new Matrix4().makeBasis(new Vector3(...right), new Vector3(...up), new Vector3(...back));
    this.camera.quaternion.copy(new Quaternion().setFromRotationMatrix(basis));
    const seaM = length(eye) - radiusM;
    const altitudeM = Math.max(0.1, seaM - Math.max(0, this.surfaceM(eye)));
    const horizonM = (heightM: number) => Math.sqrt(2 * radiusM * heightM + heightM * heightM);
    this.camera.near = Math.max(0.15, altitudeM * 0.1);
    // As far as clouds and the highest mountains stand out behind the horizon.
    this.camera.far = horizonM(Math.max(2, seaM)) + horizonM(this.cloudsM) + 1000;
    this.camera.updateProjectionMatrix();
    this.camera.updateMatrixWorld();
    return altitudeM;
  }

  private lightUp(eye: Vec3, altitudeM: number): void {
    const { uCenterKm, uSun, uMoon, uMoonTint, uNightAir, uNightEye, uExposure } = this.uniforms;
    uCenterKm.value.set(...scale(eye, -0.001));
    uSun.value.set(...this.heaven.sun);
    uMoon.value.set(...this.heaven.moon);
    const up = normalize(eye);
    const phase = moonPhase(this.heaven);
    uMoonTint.value.set(...scale(MOON_TINT, phase ** 1.5));
    // The eye gets used to the dark; from space only the day counts.
    const dark = clamp01((0.12 - dot(up, this.heaven.sun)) / 0.3);
    const isLow = clamp01(1 - altitudeM / 60_000);
    const moonUp = clamp01(dot(up, this.heaven.moon) * 3 + 0.2) * phase;
    uNightAir.value.set(...scale(NIGHT_AIR, (0.35 + 0.65 * moonUp) * (0.25 + 0.75 * isLow)));
    uNightEye.value = clamp01((-0.02 - dot(up, this.heaven.sun)) / 0.15) * isLow;
    uExposure.value = (0.3 + 0.15 * isLow) * (1 + 3.6 * dark * isLow);
  }

  private showWeather(eye: Vec3, altitudeM: number, nowMs: number, elapsedS: number): void {
    const { weather } = this;
    if (!weather) return;
    this.weatherMap.update(weather.faceOf, nowMs, this.isWeatherOther);
    this.isWeatherOther = false;
    const { here } = weather;
    const { uWeatherHere, uGloom, uFog, uFogLayer, uGround, uExposure } = this.uniforms;
    uWeatherHere.value.set(here.cloudCover, here.precipitation, weather.isFixed ? 1 : 0);
    // From above the weather is something to look at, and not to stand in.
    const nearness = clamp01(1.6 - altitudeM / (this.cloudsM * 0.6));
    const gloom = gloomOf(here, nearness);
    uGloom.value.set(gloom.direct, gloom.grey);
    const sunHeight = dot(normalize(eye), this.heaven.sun);
    const veil = veilOf(here, nearness, sunHeight, (row) => lightFrom(this.light, sunHeight, row));
    uFog.value.set(...veil.light, veil.perKm);
    const ground = Math.max(0, length(eye) - this.planet.radiusM - altitudeM) / 1000;
    uFogLayer.value.set(ground, veil.heightKm);
    const gust = this.reducedMotion ? 0.4 : 0.5 + Math.min(2, length(here.windMps) / 7);
    uGround.value.set(here.wetness * nearness, here.snowLying * nearness, gust);
    // An eye below a grey sky opens a little; rain stays dim.
    uExposure.value *= 1 + (0.42 - 0.3 * Math.sqrt(here.precipitation)) * gloom.grey;
    this.precipitation.update({
      eye,
      forward: this.pose.forward,
      pixelRad: (this.camera.fov * Math.PI) / 180 / (this.heightPx * this.pixelRatio.value),
      // What a camera sees stands still.
      elapsedS: this.cameraPlace ? 0 : elapsedS,
      weather: here,
      nearness,
    });
  }

  private updateLots(eye: Vec3, altitudeM: number, nowMs: number): void {
    const { uPlayer, uLotScale } = this.uniforms;
    const isNear = altitudeM < NEAR_GROUND_M && this.self !== undefined && !this.cameraPlace;
    uLotScale.value[1] = isNear ? 1 : 0;
    uPlayer.value.set(...subtract(this.stand(eye), eye));
    this.posts.update(eye, isNear);
    this.fences.update(eye, isNear);
    if (!isNear || !this.self) {
      this.gazedLot = undefined;
      return;
    }
    const { position } = this.self;
    if (!this.postsFrom || distance(position, this.postsFrom) > POSTS_AGAIN_M) {
      this.postsFrom = position;
      this.posts.set(this.lots.owned(), position);
      this.fences.set(this.fenceViews, position);
    }
    this.lots.moveTo(position);
    if (nowMs - this.gazedAtMs < GAZE_EVERY_MS) return;
    this.gazedAtMs = nowMs;
    this.gazedLot = this.findGazedLot(position);
    this.lots.lookAt(this.gazedLot);
  }

  private findGazedLot(position: Vec3): string | undefined {
    if (this.viewpoint.heightShare > 0) return undefined;
    const point = gazePoint(this.pose, this.surfaceM, this.planet.radiusM, GAZE_REACH_M * 1.5);
    if (!point || distance(point, position) > GAZE_REACH_M) return undefined;
    return lotTokenAt(point, this.lots.level);
  }

  private drawShadows(eye: Vec3, altitudeM: number): void {
    if (altitudeM > NEAR_GROUND_M) {
      this.shadows.skip();
      return;
    }
    // Round the person, moved ahead: what is behind the eye needs no shadow.
    const at = this.stand(eye);
    const ahead = tangent(this.cameraPlace ? this.pose.forward : this.heading, normalize(at));
    this.shadows.render(addScaled(at, ahead, this.shadows.reachM * 0.55), eye, this.heaven);
  }
}

interface WorkEvents {
  onBuilt: (built: Built) => void;
  onFailed: (reason: string) => void;
}
