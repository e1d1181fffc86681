//! `terrane zone replay`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use cell::LatLng;
use planet::Planet;
use serde_json::{Value, json};
use zone::journal::{Folder, Stretch};
use zone::{ReplayFault, Replayed, Replaying};

use crate::Failure;
use crate::cli::{ReplayArgs, ZoneCommand};
use crate::node;
use crate::planet_file::{self, Found};
use crate::progress::say;

/// Lines of a body's ways that are printed; what is left out is counted.
const WAYS_MAX: usize = 100_000;

pub(crate) fn run(command: &ZoneCommand) -> Result<(), Failure> {
    match command {
        ZoneCommand::Replay(arguments) => replay(arguments),
    }
}

/// A stretch that was made again.
struct Outcome {
    first_tick: u64,
    last_tick: u64,
    is_torn: bool,
    kept_bytes: usize,
    seconds: f64,
    replayed: Replayed,
    fault: Option<String>,
}

/// Where a body was after a tick.
struct Way {
    tick: u64,
    place: LatLng,
    above_sea_m: f64,
    speed_m_s: f64,
    input: u32,
    score: u32,
}

fn replay(arguments: &ReplayArgs) -> Result<(), Failure> {
    let config = super::read(super::sources(&arguments.place))?;
    let blobs = planet_file::blobs(&config)?;
    let file = match planet_file::find(&blobs)? {
        Found::Whole(file) => file,
        Found::Nothing => return Err(anyhow!("{} is missing", planet_file::path(&blobs).display()).into()),
        Found::Unusable(error) => {
            return Err(anyhow!("{} cannot be used: {error}", planet_file::path(&blobs).display()).into());
        }
    };
    let planet = Arc::new(Planet::new(file.manifest.identity().spec, file.raster));
    let sea_m = planet.radius_m();

    let own = [config.node.data.join(node::ZONES_FOLDER)];
    let files = if arguments.files.is_empty() { &own[..] } else { &arguments.files[..] };
    let (from, to) = (arguments.from.unwrap_or(0), arguments.to.unwrap_or(u64::MAX));
    let (mut outcomes, mut ways, mut left_out) = (vec![], vec![], 0_usize);
    for stretch in stretches(files)? {
        let last_tick = stretch.tick + stretch.records.len() as u64;
        if last_tick < from || stretch.tick > to {
            continue;
        }
        let mut note = |now: &Replaying<'_>| {
            if let Some(entity) = arguments.body
                && now.tick() >= from
                && let Some((body, input, score)) = now.body(entity)
            {
                if ways.len() < WAYS_MAX {
                    ways.push(Way {
                        tick: now.tick(),
                        place: LatLng::from_point(body.position),
                        above_sea_m: body.position.length() - sea_m,
                        speed_m_s: body.velocity.length(),
                        input,
                        score,
                    });
                } else {
                    left_out += 1;
                }
            }
        };
        outcomes.push(again(&planet, &stretch, to, &mut note));
    }
    if outcomes.is_empty() {
        return Err(anyhow!("nothing is kept of the ticks asked for").into());
    }
    if arguments.json {
        say(document(&outcomes, &ways, left_out));
    } else {
        table(&outcomes);
        for way in &ways {
            say(format_args!(
                "{:>10}  {:>10.6} {:>11.6}  {:>8.2} m  {:>5.2} m/s  input {:>8}  score {}",
                way.tick,
                way.place.lat_deg(),
                way.place.lng_deg(),
                way.above_sea_m,
                way.speed_m_s,
                way.input,
                way.score
            ));
        }
        if left_out > 0 {
            say(format_args!("{left_out} more left out: ask for fewer ticks"));
        }
    }
    if outcomes.iter().all(|outcome| outcome.fault.is_none()) { Ok(()) } else { Err(Failure::Found) }
}

/// The stretches of files and folders, each file once, in the order of ticks.
fn stretches(files: &[PathBuf]) -> anyhow::Result<Vec<Stretch>> {
    let mut stretches = vec![];
    for file in files {
        let cannot = || format!("{} cannot be read", file.display());
        if file.is_dir() {
            stretches.extend(Folder::stretches(file).with_context(cannot)?);
        } else {
            let stretch = Folder::stretch_of(file).with_context(cannot)?;
            stretches.push(stretch.ok_or_else(|| anyhow!("{} is no journal of zones", file.display()))?);
        }
    }
    stretches.sort_by_key(|stretch| stretch.tick);
    Ok(stretches)
}

fn again(planet: &Arc<Planet>, stretch: &Stretch, to: u64, note: &mut impl FnMut(&Replaying<'_>)) -> Outcome {
    let began_at = Instant::now();
    let outcome = zone::replay(planet, stretch, |now| {
        if now.tick() > to {
            return ControlFlow::Break(());
        }
        note(now);
        if now.tick() == to { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (replayed, fault) = match outcome {
        Ok(replayed) => (replayed, None),
        Err(ReplayFault::Restore(error)) => (Replayed::default(), Some(format!("the snapshot: {error}"))),
        Err(ReplayFault::Tick { tick, cause, replayed }) => {
            (replayed, Some(format!("in tick {tick}, {cause}")))
        }
    };
    Outcome {
        first_tick: stretch.tick,
        last_tick: stretch.tick + replayed.ticks,
        is_torn: stretch.is_torn,
        kept_bytes: stretch.snapshot.len()
            + stretch.records.iter().map(|(_, bytes)| bytes.len()).sum::<usize>(),
        seconds: began_at.elapsed().as_secs_f64(),
        replayed,
        fault,
    }
}

fn table(outcomes: &[Outcome]) {
    say("      from         to   ticks  hashes  zones  bodies        bytes   seconds");
    for outcome in outcomes {
        let Replayed { ticks, hashes, zones, bodies } = outcome.replayed;
        say(format_args!(
            "{:>10} {:>10} {ticks:>7} {hashes:>7} {zones:>6} {bodies:>7} {:>12} {:>9.2}  {}{}",
            outcome.first_tick,
            outcome.last_tick,
            outcome.kept_bytes,
            outcome.seconds,
            outcome.fault.as_deref().map_or_else(|| "equal".to_owned(), |fault| format!("wrong: {fault}")),
            if outcome.is_torn { " (cut off after that)" } else { "" },
        ));
    }
    let sum = |of: fn(&Replayed) -> u64| outcomes.iter().map(|outcome| of(&outcome.replayed)).sum::<u64>();
    let faults = outcomes.iter().filter(|outcome| outcome.fault.is_some()).count();
    say(format_args!(
        "{} stretches, {} ticks, {} hashes equal, {faults} wrong",
        outcomes.len(),
        sum(|replayed| replayed.ticks),
        sum(|replayed| replayed.hashes)
    ));
}

fn document(outcomes: &[Outcome], ways: &[Way], left_out: usize) -> Value {
    let stretches: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            let Replayed { ticks, hashes, zones, bodies } = outcome.replayed;
            json!({
                "first_tick": outcome.first_tick,
                "last_tick": outcome.last_tick,
                "ticks": ticks,
                "hashes": hashes,
                "zones": zones,
                "bodies": bodies,
                "kept_bytes": outcome.kept_bytes,
                "seconds": outcome.seconds,
                "torn": outcome.is_torn,
                "fault": outcome.fault,
            })
        })
        .collect();
    let ways: Vec<_> = ways
        .iter()
        .map(|way| {
            json!({
                "tick": way.tick,
                "lat_deg": way.place.lat_deg(),
                "lng_deg": way.place.lng_deg(),
                "above_sea_m": way.above_sea_m,
                "speed_m_s": way.speed_m_s,
                "input": way.input,
                "score": way.score,
            })
        })
        .collect();
    json!({
        "equal": outcomes.iter().all(|outcome| outcome.fault.is_none()),
        "stretches": stretches,
        "body": ways,
        "left_out": left_out,
    })
}
