//! `terrane planet …`: the same planet everywhere, and files that other tools and other starts can use.

use std::fs;

use serde_json::Value;

use crate::support::{Finished, Server, run, terrane};

/// Runs `terrane planet …` on the coarsest planet.
fn planet(arguments: &[&str]) -> Finished {
    terrane(&[&["planet"], arguments, &["--raster-level", "6"]].concat())
}

#[track_caller]
fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

#[test]
fn a_planet_has_one_hash_however_one_comes_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("planet.trp");
    let file = file.to_str().unwrap();
    let hash = planet(&["hash", "--seed", "5", "--shift", "6"]);
    assert_eq!((hash.code, hash.stderr.as_str()), (Some(0), ""), "no bar where nobody looks");
    let hash = hash.stdout.trim().to_owned();
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");

    let made = json(&planet(&["generate", "--seed", "5", "--shift", "6", "--out", file, "--json"]));
    assert_eq!(made["planet_hash"], hash.as_str());
    assert_eq!((&made["seed"], &made["shift"], &made["raster_level"]), (&"5".into(), &6.into(), &6.into()));
    assert_eq!(made["bytes"], fs::metadata(file).unwrap().len());
    assert!(made["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{made}");
    assert!(made["memory_peak_mb"].as_u64().is_some_and(|peak| peak < 1_000), "{made}");

    assert_eq!(terrane(&["planet", "hash", file]).stdout.trim(), hash);
    assert_eq!(json(&terrane(&["planet", "hash", file, "--json"]))["planet_hash"], hash.as_str());
    assert_ne!(planet(&["hash", "--seed", "6", "--shift", "6"]).stdout.trim(), hash);
    assert_ne!(planet(&["hash", "--seed", "5", "--shift", "5"]).stdout.trim(), hash);
    let people = planet(&["generate", "--seed", "5", "--shift", "6"]);
    assert!(people.stdout.starts_with(&hash) && people.stdout.contains("memory peak"), "{people:?}");
}

#[test]
fn files_that_are_no_planet_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("planet.trp");
    fs::write(&file, b"something else").unwrap();
    let file = file.to_str().unwrap();
    for command in [&["planet", "hash", file][..], &["planet", "arrival", file], &["planet", "stats", file]] {
        let refused = terrane(command);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("planet.trp: this is no planet artifact"), "{refused:?}");
    }
    let missing = terrane(&["planet", "hash", "/nowhere/planet.trp"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("/nowhere/planet.trp cannot be read"), "{missing:?}");
    let unwritable = planet(&["generate", "--out", "/nowhere/planet.trp"]);
    assert_eq!(unwritable.code, Some(1));
    assert!(unwritable.stderr.contains("cannot write in /nowhere"), "{unwritable:?}");
}

#[test]
fn misuse_ends_with_2_before_anything_is_made() {
    for misused in [
        &["planet", "hash", "--raster-level", "11"][..],
        &["planet", "hash", "--raster-level", "5"],
        &["planet", "hash", "planet.trp", "--seed", "3"],
        &["planet", "generate", "--seed", "-1"],
        &["planet", "stats", "--seeds", "5..=1"],
        &["planet", "stats", "planet.trp", "--seeds", "1..=2"],
        &["planet", "export", "rivers", "out.tif"],
        &["planet", "export", "elevation", "out.jpg"],
        &["planet", "export", "elevation", "out.tif", "--width", "333"],
        &["planet", "import"],
        &["planet"],
    ] {
        let finished = terrane(misused);
        assert_eq!(finished.code, Some(2), "{misused:?}: {finished:?}");
        assert!(!finished.stderr.is_empty());
    }
    for command in ["generate", "hash", "stats", "export", "import", "arrival"] {
        let help = terrane(&["planet", command, "--help"]);
        assert_eq!(help.code, Some(0), "{command}");
        assert!(help.stdout.contains(&format!("terrane planet {command} ")), "{command}: no example");
    }
}

#[test]
fn the_place_of_arrival_is_on_land() {
    let place = json(&planet(&["arrival", "--seed", "3", "--json"]));
    assert!(place["elevation_m"].as_f64().is_some_and(|elevation_m| elevation_m > 0.0), "{place}");
    assert!(place["lat_deg"].as_f64().is_some_and(|lat| lat.abs() <= 90.0), "{place}");
    let sentence = planet(&["arrival", "--seed", "3"]).stdout;
    assert!(sentence.contains("m above the sea, "), "{sentence}");
}

#[test]
fn every_measure_comes_with_its_band_and_whether_it_passes() {
    let measured = planet(&["stats", "--seeds", "1..=2", "--json"]);
    let report = json(&measured);
    let planets = report["planets"].as_array().unwrap();
    assert_eq!((planets.len(), &report["count"]), (2, &2.into()));
    let mut passed = 0;
    for planet in planets {
        let measures = planet["measures"].as_array().unwrap();
        assert!(measures.len() > 10, "{planet}");
        for measure in measures {
            let band = &measure["band"];
            let above =
                band["low"].as_f64().is_none_or(|low| measure["value"].as_f64().is_some_and(|it| it >= low));
            let below = band["high"]
                .as_f64()
                .is_none_or(|high| measure["value"].as_f64().is_some_and(|it| it <= high));
            assert_eq!(measure["pass"], above && below && measure["value"].is_number(), "{measure}");
        }
        let all_pass = measures.iter().all(|measure| measure["pass"] == true);
        assert_eq!(planet["pass"], all_pass);
        passed += u64::from(all_pass);
    }
    assert_eq!(report["passed"], passed);
    assert_eq!(measured.code, Some(i32::from(passed < 2)));
    let table = planet(&["stats", "--seed", "1"]).stdout;
    assert!(table.starts_with("seed 1, level 6: ") && table.contains("land_fraction"), "{table}");
}

#[test]
fn exported_rasters_have_the_size_that_was_asked_for_and_what_belongs_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (what, name, beside) in [
        ("elevation", "heights.tif", &[][..]),
        ("elevation", "heights.png", &["heights.pgw"]),
        ("biomes", "biomes.png", &["biomes.pgw", "biomes.csv"]),
        ("biomes", "biomes.tiff", &["biomes.csv"]),
    ] {
        let out = path(name);
        let written = planet(&["export", what, &out, "--width", "64", "--seed", "4"]);
        assert_eq!(written.code, Some(0), "{written:?}");
        let said: Vec<&str> = written.stdout.lines().collect();
        let expected: Vec<String> = [&[name], beside].concat().into_iter().map(path).collect();
        assert_eq!(said, expected);
        let bytes = fs::read(&out).unwrap();
        if name.ends_with("png") {
            assert_eq!(bytes[16..24], [0, 0, 0, 64, 0, 0, 0, 32], "width and height of a PNG");
        } else {
            assert_eq!(bytes[..4], *b"II*\0", "a TIFF");
        }
        for name in beside {
            assert!(!fs::read_to_string(path(name)).unwrap().is_empty());
        }
    }
}

#[test]
fn heights_go_out_into_a_file_and_come_back_as_a_planet_that_runs() {
    let mut server = Server::new();
    let folder = tempfile::tempdir().unwrap();
    let heights = folder.path().join("heights.tif");
    let heights = heights.to_str().unwrap();
    let exported = planet(&["export", "elevation", heights, "--width", "512", "--seed", "8"]);
    assert_eq!(exported.code, Some(0), "{exported:?}");

    let import = |server: &Server, file: &str| {
        server.command(&[
            "planet",
            "import",
            file,
            "--seed",
            "9",
            "--shift",
            "6",
            "--raster-level",
            "6",
            "--json",
        ])
    };
    let nothing = import(&server, "/nowhere.tif");
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.stderr.contains("/nowhere.tif cannot be read"), "{nothing:?}");
    let imported = import(&server, heights);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let imported = json(&imported);
    assert_eq!((&imported["seed"], &imported["shift"]), (&"9".into(), &6.into()));
    assert_eq!(imported["import_hash"].as_str().map(str::len), Some(64), "{imported}");

    server.start_again();
    let planet_of = |server: &Server| {
        let url = format!("{}/api/v1/planet", server.url());
        run(async move { reqwest::get(url).await.unwrap().json::<Value>().await.unwrap() })
    };
    assert_eq!(planet_of(&server)["planet_hash"], imported["planet_hash"]);
    assert_eq!(server.stop(), Some(0));

    // A lost file cannot be made from a seed; the heights bring it back, others do not.
    let artifact = server.data().join("blobs/planet.trp");
    let whole = fs::read(&artifact).unwrap();
    fs::remove_file(&artifact).unwrap();
    let lost = server.command(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off"]);
    assert_eq!(lost.code, Some(1), "{lost:?}");
    assert!(lost.stderr.contains("run `terrane planet import` again"), "{lost:?}");
    let other = folder.path().join("other.png");
    let other = other.to_str().unwrap();
    assert_eq!(planet(&["export", "elevation", other, "--width", "256", "--seed", "3"]).code, Some(0));
    let refused = import(&server, other);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("belongs to another planet"), "{refused:?}");
    assert!(!artifact.exists());
    assert_eq!(import(&server, heights).code, Some(0));
    assert_eq!(fs::read(&artifact).unwrap(), whole);
    server.start_again();
    assert_eq!(planet_of(&server)["planet_hash"], imported["planet_hash"]);
}
