//! A full planet: a million parcels, ten million legs, in the tables of the program, consistent to the last coin.
//!
//! Written past the services, with each driver's own way of taking many rows, because a history of years is not what
//! is measured. `terrane ledger verify` finds it sound, but for the chain: nobody has sealed it.
//!
//! Everybody gets a welcome grant; parcels are claimed in towns, each a square of lots of which two in three are owned;
//! the rest of the legs are payments between people, drawn so that a few are rich and busy.

use std::io::{IsTerminal as _, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use cell::CellId;
use postgres::{Client, CopyInWriter, NoTls};
use rusqlite::Connection;
use uuid::Uuid;

use crate::Random;

pub(crate) const ACCOUNTS: u64 = 100_000;
const GRANT_MINOR: i64 = 100_000_000;
/// Lots of a planet of default size.
pub(crate) const LOT_LEVEL: u8 = 15;
/// A town is a cell of this level: 16,384 lots.
pub(crate) const TOWN_LEVEL: u8 = LOT_LEVEL - 7;
const BEGAN_US: i64 = 1_700_000_000_000_000;
const SECOND_US: i64 = 1_000_000;
const AREA_M2: f64 = 1_234.5;

/// How much to make.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) parcels: u64,
    pub(crate) legs: u64,
    /// Of the parcels, the first so many are for sale.
    pub(crate) listings: u64,
}

impl Size {
    pub(crate) const FULL: Self = Self { parcels: 1_000_000, legs: 10_000_000, listings: 100_000 };

    /// A hundredth of it, to try the measurement out.
    pub(crate) const SMALL: Self = Self { parcels: 10_000, legs: 300_000, listings: 10_000 };
}

pub(crate) const LISTED_MINOR: i64 = 2_000;

/// Of listing `number`.
pub(crate) fn sale_id(number: u64) -> Uuid {
    uuid::Builder::from_random_bytes((u128::from(number) << 80 | 0x5a1e).to_be_bytes()).into_uuid()
}

/// Whose parcel `number` is; a buyer must be somebody else.
pub(crate) fn owner_of(parcel: u64) -> u64 {
    Random(parcel).below(ACCOUNTS)
}

/// Of person `number`.
pub(crate) fn account_id(number: u64) -> Uuid {
    uuid::Builder::from_random_bytes((u128::from(number) << 80 | 0x51de_ca11).to_be_bytes()).into_uuid()
}

pub(crate) fn town(number: u64) -> CellId {
    let mut random = Random(number + 1);
    let z = random.below(2_000_001) as f64 / 1e6 - 1.0;
    let angle = random.below(6_283_185) as f64 / 1e6;
    let across = (1.0 - z * z).sqrt();
    CellId::from_point(glam::DVec3::new(across * angle.cos(), across * angle.sin(), z)).parent(TOWN_LEVEL)
}

/// Lot `index` of a town, in the order of ids.
pub(crate) fn lot(town: CellId, index: u64) -> CellId {
    let step = 1_u64 << (2 * (30 - LOT_LEVEL) + 1);
    let first = town.range_min().parent(LOT_LEVEL).raw();
    CellId::try_from_raw(first + index * step).expect("a town has 16,384 lots")
}

/// A value of a column.
#[derive(Clone, Copy)]
enum Field<'a> {
    Id(Uuid),
    Int(i64),
    Real(f64),
    Text(&'a str),
    Bool(bool),
    /// Microseconds since 1970.
    Time(i64),
}

/// The tables that are filled, with their columns in the order of [`Field`]s.
const TABLES: [(&str, &str); 11] = [
    ("accounts", "account_id, display_name, color, created_at"),
    ("ledger_accounts", "ledger_account_id, kind, opened_at"),
    ("assets", "asset_id, kind, scale"),
    ("postings", "posting_id, client_id, kind, reference, posted_at"),
    ("balances", "ledger_account_id, asset_id, amount, amount_min, leg_count"),
    ("legs", "posting_id, ledger_account_id, asset_id, amount, leg_number, balance_after"),
    ("parcels", "parcel_id, owner_id, claimed_at, cell_count, area_m2, center, biome, front"),
    ("parcel_cells", "cell, parcel_id"),
    ("titles", "parcel_id, title_number, kind, owner_id, price_minor, currency, posting_id, since"),
    (
        "sales",
        "sale_id, kind, state, parcel_id, seller_id, seller_is_group, opened_by, currency, price_minor, \
         minor_per_m2, opened_at, ends_at, cell_count, area_m2, biome, front, center, center_x, center_y, center_z",
    ),
    ("encumbrances", "parcel_id, kind, reference_id, price_minor, currency, ends_at"),
];

fn table(name: &str) -> usize {
    TABLES.iter().position(|(it, _)| *it == name).expect("a table of the list")
}

trait Sink {
    fn add(&mut self, table: usize, row: &[Field<'_>]) -> anyhow::Result<()>;
}

/// Fills a migrated, empty database.
pub(crate) fn sqlite(path: &Path, size: Size) -> anyhow::Result<()> {
    let db = Connection::open(path)?;
    // If this is cut off, the file is thrown away.
    db.execute_batch(
        "pragma synchronous = off; pragma foreign_keys = off; pragma cache_size = -1000000; begin immediate",
    )?;
    db.set_prepared_statement_cache_capacity(TABLES.len());
    make(size, &mut Rows { db: &db })?;
    db.execute_batch("commit; pragma wal_checkpoint(truncate); analyze")?;
    Ok(())
}

struct Rows<'a> {
    db: &'a Connection,
}

impl Sink for Rows<'_> {
    fn add(&mut self, table: usize, row: &[Field<'_>]) -> anyhow::Result<()> {
        let (name, columns) = TABLES[table];
        let places: Vec<String> = (1..=row.len()).map(|n| format!("?{n}")).collect();
        let sql = format!("insert into {name} ({columns}) values ({})", places.join(", "));
        let mut insert = self.db.prepare_cached(&sql)?;
        for (index, field) in row.iter().enumerate() {
            let at = index + 1;
            match field {
                Field::Id(it) => insert.raw_bind_parameter(at, it.as_bytes().as_slice())?,
                Field::Int(it) | Field::Time(it) => insert.raw_bind_parameter(at, it)?,
                Field::Real(it) => insert.raw_bind_parameter(at, it)?,
                Field::Text(it) => insert.raw_bind_parameter(at, it)?,
                Field::Bool(it) => insert.raw_bind_parameter(at, it)?,
            }
        }
        insert.raw_execute()?;
        Ok(())
    }
}

/// Fills a migrated, empty database, whose user may set aside foreign keys.
pub(crate) fn postgres(url: &str, size: Size) -> anyhow::Result<()> {
    copy_tables(url, size)?;
    let mut client = Client::connect(url, NoTls)?;
    client.batch_execute("vacuum analyze")?;
    client.batch_execute("checkpoint")?;
    Ok(())
}

/// Fills all tables side by side: rows of one refer to rows of others.
fn copy_tables(url: &str, size: Size) -> anyhow::Result<()> {
    let mut clients = Vec::new();
    for _ in TABLES {
        let mut client = Client::connect(url, NoTls)?;
        // Tables are filled side by side: what a row refers to may not be there yet.
        client.batch_execute("set session_replication_role = replica; set synchronous_commit = off")?;
        clients.push(client);
    }
    let mut copies = Copies { writers: Vec::new(), line: String::new() };
    for (client, (name, columns)) in clients.iter_mut().zip(TABLES) {
        let writer = client.copy_in(&format!("copy {name} ({columns}) from stdin"))?;
        copies.writers.push(std::io::BufWriter::with_capacity(1 << 20, writer));
    }
    make(size, &mut copies)?;
    for writer in copies.writers {
        writer.into_inner().map_err(|it| it.into_error()).context("the last rows")?.finish()?;
    }
    Ok(())
}

struct Copies<'a> {
    writers: Vec<std::io::BufWriter<CopyInWriter<'a>>>,
    line: String,
}

impl Sink for Copies<'_> {
    fn add(&mut self, table: usize, row: &[Field<'_>]) -> anyhow::Result<()> {
        use std::fmt::Write as _;
        self.line.clear();
        for (index, field) in row.iter().enumerate() {
            if index > 0 {
                self.line.push('\t');
            }
            match field {
                Field::Id(it) => write!(self.line, "{it}")?,
                Field::Int(it) => write!(self.line, "{it}")?,
                Field::Real(it) => write!(self.line, "{it}")?,
                // Names made here hold nothing that needs quoting.
                Field::Text(it) => self.line.push_str(it),
                Field::Bool(it) => self.line.push(if *it { 't' } else { 'f' }),
                Field::Time(us) => {
                    let at = jiff::Timestamp::from_microsecond(*us)?;
                    write!(self.line, "{at}")?;
                }
            }
        }
        self.line.push('\n');
        Ok(self.writers[table].write_all(self.line.as_bytes())?)
    }
}

/// What an account has of coins while it is made up.
#[derive(Clone, Copy, Default)]
struct Purse {
    amount: i64,
    legs: i64,
}

struct Maker<'a, S> {
    sink: &'a mut S,
    people: Vec<Purse>,
    mint: Purse,
    treasury: Purse,
    postings: u64,
    legs: u64,
    began: Instant,
    total: u64,
    now_us: i64,
}

const MINT: Uuid = ledger::AccountRef::Mint.id();
const TREASURY: Uuid = ledger::AccountRef::Treasury.id();
const LAND_OFFICE: Uuid = ledger::AccountRef::LandOffice.id();

fn make(size: Size, sink: &mut impl Sink) -> anyhow::Result<()> {
    let mut maker = Maker {
        sink,
        people: vec![Purse::default(); ACCOUNTS as usize],
        mint: Purse::default(),
        treasury: Purse::default(),
        postings: 0,
        legs: 0,
        began: Instant::now(),
        total: size.legs,
        now_us: jiff::Timestamp::now().as_microsecond(),
    };
    maker.open()?;
    maker.grants()?;
    maker.claims(size.parcels, size.listings)?;
    maker.payments()?;
    maker.close()
}

impl<S: Sink> Maker<'_, S> {
    fn open(&mut self) -> anyhow::Result<()> {
        for (id, kind) in [(MINT, "mint"), (TREASURY, "treasury"), (LAND_OFFICE, "land_office")] {
            let row = [Field::Id(id), Field::Text(kind), Field::Time(BEGAN_US)];
            self.sink.add(table("ledger_accounts"), &row)?;
        }
        self.sink.add(table("assets"), &[Field::Text("coin"), Field::Text("currency"), Field::Int(2)])?;
        for number in 0..ACCOUNTS {
            let (id, name) = (account_id(number), format!("Person {number}"));
            let row = [Field::Id(id), Field::Text(&name), Field::Int(0x33_66_99), Field::Time(BEGAN_US)];
            self.sink.add(table("accounts"), &row)?;
            let row = [Field::Id(id), Field::Text("wallet"), Field::Time(BEGAN_US)];
            self.sink.add(table("ledger_accounts"), &row)?;
        }
        Ok(())
    }

    fn posting(&mut self, kind: &str, client: &str, reference: &str) -> anyhow::Result<(Uuid, i64)> {
        self.postings += 1;
        let at_us = BEGAN_US + self.postings as i64 * SECOND_US;
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&self.postings.to_be_bytes());
        let id = uuid::Builder::from_unix_timestamp_millis(at_us as u64 / 1000, &bytes).into_uuid();
        let row = [
            Field::Id(id),
            Field::Text(client),
            Field::Text(kind),
            Field::Text(reference),
            Field::Time(at_us),
        ];
        self.sink.add(table("postings"), &row)?;
        Ok((id, at_us))
    }

    fn leg(
        &mut self,
        posting: Uuid,
        account: Uuid,
        asset: &str,
        amount: i64,
        after: Purse,
    ) -> anyhow::Result<()> {
        self.legs += 1;
        let row = [
            Field::Id(posting),
            Field::Id(account),
            Field::Text(asset),
            Field::Int(amount),
            Field::Int(after.legs),
            Field::Int(after.amount),
        ];
        self.sink.add(table("legs"), &row)?;
        if self.legs.is_multiple_of(1 << 16) {
            self.show();
        }
        Ok(())
    }

    fn show(&self) {
        if std::io::stderr().is_terminal() {
            let (share, seconds) = (self.legs as f64 / self.total as f64, self.began.elapsed().as_secs_f64());
            eprint!(
                "\r  {:3.0} % of {} legs, {:.0} s left ",
                share * 100.0,
                self.total,
                seconds / share - seconds
            );
        }
    }

    fn coins(&mut self, posting: Uuid, who: Who, amount: i64) -> anyhow::Result<()> {
        let (id, purse) = match who {
            Who::Person(number) => (account_id(number), &mut self.people[number as usize]),
            Who::Mint => (MINT, &mut self.mint),
            Who::Treasury => (TREASURY, &mut self.treasury),
        };
        purse.amount += amount;
        purse.legs += 1;
        let after = *purse;
        self.leg(posting, id, "coin", amount, after)
    }

    fn grants(&mut self) -> anyhow::Result<()> {
        for number in 0..ACCOUNTS {
            let client = format!("welcome_grant:{}", account_id(number));
            let (posting, _) = self.posting("welcome_grant", &client, "")?;
            self.coins(posting, Who::Mint, -GRANT_MINOR)?;
            self.coins(posting, Who::Person(number), GRANT_MINOR)?;
        }
        Ok(())
    }

    fn claims(&mut self, parcels: u64, listings: u64) -> anyhow::Result<()> {
        let mut made = 0;
        let mut taken = std::collections::BTreeSet::new();
        for number in 0.. {
            let town = town(number);
            if !taken.insert(town) {
                continue;
            }
            for index in (0..1_u64 << (2 * (LOT_LEVEL - TOWN_LEVEL))).filter(|it| it % 3 != 2) {
                if made == parcels {
                    return Ok(());
                }
                self.claim(lot(town, index), made)?;
                if made < listings {
                    self.list(lot(town, index), made)?;
                }
                made += 1;
            }
        }
        Ok(())
    }

    fn claim(&mut self, lot: CellId, number: u64) -> anyhow::Result<()> {
        const PRICE_MINOR: i64 = 12_345;
        let owner = owner_of(number);
        let (token, owner_id) = (lot.token(), account_id(owner));
        let deed = format!("deed:{token}");
        let (posting, at_us) =
            self.posting("land_claim", &format!("load:{number}"), &format!("lot:{token}"))?;
        self.coins(posting, Who::Person(owner), -PRICE_MINOR)?;
        self.coins(posting, Who::Treasury, PRICE_MINOR)?;
        self.sink.add(table("assets"), &[Field::Text(&deed), Field::Text("deed"), Field::Int(0)])?;
        for (holder, amount) in [(owner_id, 1), (LAND_OFFICE, -1)] {
            self.leg(posting, holder, &deed, amount, Purse { amount, legs: 1 })?;
            let row = [
                Field::Id(holder),
                Field::Text(&deed),
                Field::Int(amount),
                Field::Int(amount.min(0)),
                Field::Int(1),
            ];
            self.sink.add(table("balances"), &row)?;
        }
        let id = Field::Int(lot.to_sql());
        let center = CellId::from_point(lot.center()).to_sql();
        self.sink.add(
            table("parcels"),
            &[
                id,
                Field::Id(owner_id),
                Field::Time(at_us),
                Field::Int(1),
                Field::Real(AREA_M2),
                Field::Int(center),
                Field::Text("grassland"),
                Field::Int(number as i64 % 8),
            ],
        )?;
        self.sink.add(table("parcel_cells"), &[id, id])?;
        self.sink.add(
            table("titles"),
            &[
                id,
                Field::Int(1),
                Field::Text("claim"),
                Field::Id(owner_id),
                Field::Int(PRICE_MINOR),
                Field::Text("coin"),
                Field::Id(posting),
                Field::Time(at_us),
            ],
        )
    }

    fn list(&mut self, lot: CellId, number: u64) -> anyhow::Result<()> {
        let (id, seller, now_us) = (sale_id(number), account_id(owner_of(number)), self.now_us);
        let ends_us = now_us + 7 * 86_400 * SECOND_US;
        let center = lot.center();
        self.sink.add(
            table("sales"),
            &[
                Field::Id(id),
                Field::Text("fixed"),
                Field::Text("open"),
                Field::Int(lot.to_sql()),
                Field::Id(seller),
                Field::Bool(false),
                Field::Id(seller),
                Field::Text("coin"),
                Field::Int(LISTED_MINOR),
                Field::Real(LISTED_MINOR as f64 / AREA_M2),
                Field::Time(now_us),
                Field::Time(ends_us),
                Field::Int(1),
                Field::Real(AREA_M2),
                Field::Text("grassland"),
                Field::Int(0),
                Field::Int(CellId::from_point(center).to_sql()),
                Field::Real(center.x),
                Field::Real(center.y),
                Field::Real(center.z),
            ],
        )?;
        self.sink.add(
            table("encumbrances"),
            &[
                Field::Int(lot.to_sql()),
                Field::Text("listing"),
                Field::Id(id),
                Field::Int(LISTED_MINOR),
                Field::Text("coin"),
                Field::Time(ends_us),
            ],
        )
    }

    /// The product of two draws: half of all payments touch a sixth of the people.
    fn payments(&mut self) -> anyhow::Result<()> {
        let mut random = Random(4);
        while self.legs < self.total {
            let from = random.below(ACCOUNTS) * random.below(ACCOUNTS) / ACCOUNTS;
            let to = random.below(ACCOUNTS);
            let amount = 1 + random.below(100) as i64;
            if from == to || self.people[from as usize].amount < amount {
                continue;
            }
            let (posting, _) = self.posting("transfer", &format!("load:pay:{}", self.postings), "")?;
            self.coins(posting, Who::Person(from), -amount)?;
            self.coins(posting, Who::Person(to), amount)?;
        }
        Ok(())
    }

    /// Balances of coins, known only now.
    fn close(&mut self) -> anyhow::Result<()> {
        let people = self.people.iter().enumerate().map(|(number, it)| (account_id(number as u64), *it, 0));
        let minted_min = ledger::Amount::MIN.minor();
        let rest = [(MINT, self.mint, minted_min), (TREASURY, self.treasury, 0)];
        for (id, purse, min) in people.chain(rest).collect::<Vec<_>>() {
            let row = [
                Field::Id(id),
                Field::Text("coin"),
                Field::Int(purse.amount),
                Field::Int(min),
                Field::Int(purse.legs),
            ];
            self.sink.add(table("balances"), &row)?;
        }
        if std::io::stderr().is_terminal() {
            eprintln!("\r  {} legs in {:.0} s              ", self.legs, self.began.elapsed().as_secs_f64());
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Who {
    Person(u64),
    Mint,
    Treasury,
}
