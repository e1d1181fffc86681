//! Values published in the tests of the S2 libraries (C++, Go, Java): what other tools read from the same bits.
#![allow(clippy::unwrap_used)] // Helpers of tests, too.

use cell::{CellId, FaceIj, LatLng, MAX_LEVEL};

fn cell(raw: u64) -> CellId {
    CellId::try_from_raw(raw).unwrap()
}

#[test]
fn latitudes_and_longitudes_are_in_their_published_leaves() {
    let places = [
        (0x47a1_cbd5_9552_2b39, 49.703_498_679, 11.770_681_595),
        (0x4652_5318_b63b_e0f9, 55.685_376_759, 12.588_490_937),
        (0x52b3_0b71_698e_729d, 45.486_546_517, -93.449_700_022),
        (0x46ed_8886_cfad_da85, 58.299_984_854, 23.049_300_056),
        (0x3663_f18a_24cb_e857, 34.364_439_040, 108.330_699_969),
        (0x010a_06c0_a948_cf5d, -30.694_551_352, -30.048_758_753),
        (0x2b2b_fd07_6787_c5df, -25.285_264_027, 133.823_116_966),
        (0xb09d_ff88_2a78_09e1, -75.000_000_031, 0.000_000_133),
        (0x94da_a3d0_0000_0001, -24.694_439_215, -47.537_363_213),
        (0x87a1_0000_0000_0001, 38.899_730_392, -99.901_813_021),
        (0x4fc7_6d50_0000_0001, 81.647_200_334, -55.631_712_940),
        (0x3b00_9555_5555_5555, 10.050_986_518, 78.293_170_610),
        (0x1dcc_4699_9155_5555, -34.055_420_593, 18.551_140_038),
        (0xb112_966a_aaaa_aaab, -69.219_262_171, 49.670_072_392),
    ];
    for (raw, lat_deg, lng_deg) in places {
        let place = LatLng::from_degrees(lat_deg, lng_deg).unwrap();
        assert_eq!(CellId::from_lat_lng(place), cell(raw), "{lat_deg}, {lng_deg}");
        assert!((cell(raw).center() - place.to_point()).length() < 2e-11, "{lat_deg}, {lng_deg}");
    }
}

#[test]
fn tokens_name_their_published_ids() {
    // The published list names numbers; those of it that are ids of cells.
    let tokens = [
        ("1", 0x1000_0000_0000_0000),
        ("3", 0x3000_0000_0000_0000),
        ("14", 0x1400_0000_0000_0000),
        ("41", 0x4100_0000_0000_0000),
        ("094", 0x0940_0000_0000_0000),
        ("537", 0x5370_0000_0000_0000),
        ("3fec", 0x3fec_0000_0000_0000),
        ("72f3", 0x72f3_0000_0000_0000),
        ("52b8c", 0x52b8_c000_0000_0000),
        ("990ed", 0x990e_d000_0000_0000),
        ("4476dc", 0x4476_dc00_0000_0000),
        ("2a724f", 0x2a72_4f00_0000_0000),
        ("7d4afc4", 0x7d4a_fc40_0000_0000),
        ("b675785", 0xb675_7850_0000_0000),
        ("40cd6124", 0x40cd_6124_0000_0000),
        ("3ba32f81", 0x3ba3_2f81_0000_0000),
        ("08f569b5c", 0x08f5_69b5_c000_0000),
        ("385327157", 0x3853_2715_7000_0000),
        ("166c4d1954", 0x166c_4d19_5400_0000),
        ("96f48d8c39", 0x96f4_8d8c_3900_0000),
        ("0bca3c7f74c", 0x0bca_3c7f_74c0_0000),
        ("1ae3619d12f", 0x1ae3_619d_12f0_0000),
        ("07a77802a3fc", 0x07a7_7802_a3fc_0000),
        ("4e7887ec1801", 0x4e78_87ec_1801_0000),
        ("4adad7ae74124", 0x4ada_d7ae_7412_4000),
        ("90aba04afe0c5", 0x90ab_a04a_fe0c_5000),
        ("8ffc3f02af305c", 0x8ffc_3f02_af30_5c00),
        ("6fa47550938183", 0x6fa4_7550_9381_8300),
        ("aa80a565df5e7fc", 0xaa80_a565_df5e_7fc0),
        ("01614b5e968e121", 0x0161_4b5e_968e_1210),
        ("aa05238e7bd3ee7c", 0xaa05_238e_7bd3_ee7c),
        ("48a23db9c2963e5b", 0x48a2_3db9_c296_3e5b),
    ];
    let mut cells = 0;
    for (token, raw) in tokens {
        match CellId::try_from_raw(raw) {
            Some(cell) => {
                assert_eq!(CellId::parse_token(token), Ok(cell));
                assert_eq!(cell.token(), token);
                cells += 1;
            }
            None => assert_eq!(CellId::parse_token(token), Err(cell::ParseTokenError::NotACell), "{token}"),
        }
    }
    assert!(cells > 20, "most of the list are cells, not {cells}");
}

#[test]
fn parents_and_children_have_their_published_positions() {
    let position = |cell: CellId| cell.raw() & (u64::MAX >> 3);
    let cell = cell((3 << 61) + (0x1234_5678 | 1)).parent(MAX_LEVEL - 4);
    assert_eq!((cell.face(), cell.level(), cell.is_leaf()), (3, 26, false));
    assert_eq!(position(cell), 0x1234_5700);
    assert_eq!(position(cell.children().unwrap()[0]), 0x1234_5640);
    assert_eq!(position(cell.descendants(28).next().unwrap()), 0x1234_5610);
    assert_eq!(position(cell.parent(25)), 0x1234_5400);
    assert_eq!(position(cell.parent(24)), 0x1234_5000);
}

#[test]
fn containment_is_as_published() {
    let [a, b, c, d] =
        [0x8085_5c00_0000_0000, 0x8085_5d00_0000_0000, 0x8085_5dc0_0000_0000, 0x8085_6300_0000_0000]
            .map(cell);
    let check = |x: CellId, y: CellId, x_has_y, y_has_x, meet| {
        assert_eq!((x.contains(y), y.contains(x)), (x_has_y, y_has_x), "{x} {y}");
        assert_eq!((x.intersects(y), y.intersects(x)), (meet, meet), "{x} {y}");
    };
    check(a, a, true, true, true);
    check(a, b, true, false, true);
    check(a, c, true, false, true);
    check(a, d, false, false, false);
    check(b, c, true, false, true);
    check(b, d, false, false, false);
    check(c, d, false, false, false);
}

#[test]
fn the_debug_form_is_the_published_path() {
    assert_eq!(format!("{:?}", cell(0xbb04_0000_0000_0000)), "5/31200");
}

#[test]
fn edge_neighbors_are_as_published() {
    let faces = CellId::from_face(1).edge_neighbors().map(|neighbor| (neighbor.level(), neighbor.face()));
    assert_eq!(faces, [(0, 5), (0, 3), (0, 2), (0, 0)]);
    for level in 1..=MAX_LEVEL {
        let at = |face, i, j| CellId::from_face_ij(FaceIj { face, i, j }, level);
        let last = (1 << level) - 1;
        assert_eq!(
            at(1, 0, 0).edge_neighbors(),
            [at(5, last, last), at(1, 1, 0), at(1, 0, 1), at(0, last, 0)]
        );
    }
}
