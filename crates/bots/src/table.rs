//! Reports as tables for people.

use crate::report::Report;
use crate::server_cost::ServerCost;
use std::fmt;

/// Lines of a table: what, and how much.
struct Table<'t, 'f>(&'t mut fmt::Formatter<'f>);

impl Table<'_, '_> {
    fn line(&mut self, what: &str, value: fmt::Arguments<'_>) -> fmt::Result {
        writeln!(self.0, "{what:<28}{value}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table(f);
        self.write_run(&mut table)?;
        self.write_traffic(&mut table)?;
        if self.sums.watchers > 0 {
            self.write_watched(&mut table)?;
        }
        self.write_business(&mut table)?;
        match &self.server {
            Some(server) => write!(f, "{server}"),
            None => Ok(()),
        }
    }
}

impl Report {
    fn write_run(&self, table: &mut Table<'_, '_>) -> fmt::Result {
        let Self { figures, sums, .. } = self;
        let seeds = self.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        let processes =
            if self.processes > 1 { format!(", {} processes", self.processes) } else { String::new() };
        table.line("scenario", format_args!("{}, seed {seeds}{processes}", self.scenario))?;
        let (connected, failed, dropped) = (figures.connected, figures.failed, figures.dropped);
        table.line(
            "bots",
            format_args!("{connected} of {} connected, {failed} failed, {dropped} dropped", self.asked),
        )?;
        table.line(
            "measured",
            format_args!(
                "{:.1} s; {} connections that decode and predict everything",
                self.seconds, sums.watchers
            ),
        )?;
        let (p50, p99) = (figures.login_p50_ms, figures.login_p99_ms);
        table.line("login", format_args!("p50 {p50:.0}, p99 {p99:.0} ms"))?;
        let (p50, p99) = (figures.entry_p50_ms, figures.entry_p99_ms);
        table.line("socket to welcome", format_args!("p50 {p50:.0}, p99 {p99:.0} ms"))
    }

    fn write_traffic(&self, table: &mut Table<'_, '_>) -> fmt::Result {
        let Self { figures, sums, .. } = self;
        let (mean, least) = (figures.frames_per_s, figures.frames_per_s_min);
        table.line("frames per client", format_args!("{mean:.2} a second, slowest {least:.2}"))?;
        let (p50, p99) = (figures.frame_interval_p50_ms, figures.frame_interval_p99_ms);
        let max = figures.frame_interval_max_ms;
        table.line("between two frames", format_args!("p50 {p50:.0}, p99 {p99:.0}, max {max:.0} ms"))?;
        let (p50, p99) = (figures.round_trip_p50_ms, figures.round_trip_p99_ms);
        table.line("round trip", format_args!("p50 {p50:.1}, p99 {p99:.1} ms"))?;
        let (mean, peak) = (figures.bytes_per_s, figures.bytes_per_s_peak);
        table.line("bytes per client", format_args!("{mean:.0} a second, peak {peak}"))?;
        table.line("restarts, gaps", format_args!("{}, {}", figures.restarts, figures.frames_with_gaps))?;
        let inputs = sums.inputs as f64 / sums.client_seconds.max(1e-9);
        let left_out = sums.inputs_left_out;
        table.line("inputs", format_args!("{inputs:.1} a second and client, {left_out} left out"))
    }

    fn write_watched(&self, table: &mut Table<'_, '_>) -> fmt::Result {
        let Self { figures, sums, .. } = self;
        let (mean, most) = (figures.visible_bodies, figures.visible_bodies_max);
        table.line("bodies in view", format_args!("{mean:.1} on average, at most {most}"))?;
        for (tier, name) in ["near", "mid", "far"].into_iter().enumerate() {
            let (all, each) = (figures.updates_per_s[tier], figures.update_hz[tier]);
            table.line(
                &format!("updates seen, {name}"),
                format_args!("{all:.0} a second, {each:.2} of each body"),
            )?;
        }
        table.line("bytes per update seen", format_args!("{:.2}", figures.bytes_per_update))?;
        table.line(
            "corrections over 1 cm",
            format_args!(
                "{} of {} frames ({:.3} %), farthest {:.3} m",
                sums.corrections,
                sums.predicted,
                figures.correction_rate * 100.0,
                figures.correction_max_m
            ),
        )?;
        table.line("heard", format_args!("{}", sums.heard))
    }

    fn write_business(&self, table: &mut Table<'_, '_>) -> fmt::Result {
        let Self { figures, sums, .. } = self;
        if sums.visits + sums.lost > 0 {
            let (visits, lost) = (sums.visits, sums.lost);
            let (same, other) = (sums.resumed, sums.resumed_elsewhere);
            table.line("visits begun again", format_args!("{visits}"))?;
            table.line(
                "connections lost on purpose",
                format_args!("{lost}, {same} resumed in the same body, {other} in another"),
            )?;
        }
        if !sums.decisions.is_empty() {
            let (p50, p99) = (figures.decision_p50_ms, figures.decision_p99_ms);
            let per_s = figures.decisions_per_s;
            table.line("decisions", format_args!("{per_s:.1} a second, p50 {p50:.0}, p99 {p99:.0} ms"))?;
        }
        for (what, count) in &sums.decisions {
            writeln!(table.0, "  {count} × {what}")?;
        }
        for (code, count) in &sums.refused {
            writeln!(table.0, "  {count} × refused: {code}")?;
        }
        for (reason, count) in &sums.reasons {
            writeln!(table.0, "  {count} × {reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ServerCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table(f);
        if let (Some(p50), Some(p99), Some(max)) = (self.tick_p50_ms, self.tick_p99_ms, self.tick_max_ms) {
            let count = self.ticks.unwrap_or_default();
            table.line(
                "server: tick",
                format_args!("p50 {p50:.1}, p99 {p99:.1}, max {max:.1} ms, of {count}"),
            )?;
        }
        if let Some(cores) = self.cores {
            table.line("server: CPU", format_args!("{cores:.2} cores"))?;
        }
        if let (Some(frames), Some(us)) = (self.frames, self.cpu_us_per_frame) {
            table.line(
                "server: frames",
                format_args!("{frames}, {us:.1} µs of CPU each, everything included"),
            )?;
        }
        if let (Some(begin), Some(end), Some(peak)) =
            (self.memory_begin_mib, self.memory_end_mib, self.memory_peak_mib)
        {
            table.line(
                "server: memory",
                format_args!("{begin:.0} MiB at first, {end:.0} at last, peak {peak:.0}"),
            )?;
        }
        if let (Some(frames), Some(ticks)) = (self.dropped_frames, self.skipped_ticks) {
            table.line("server: frames dropped", format_args!("{frames}, ticks skipped {ticks}"))?;
        }
        if let Some(zones) = self.zones {
            let handovers = self.handovers.unwrap_or_default();
            table.line("server: zones", format_args!("{zones}, {handovers} handovers"))?;
        }
        if let Some(stretch) = self.dilation_max {
            table.line("server: time", format_args!("stretched by {stretch:.2} at most"))?;
        }
        Ok(())
    }
}
