//! Readers whose place is kept in the database.

use store::{Store, Tx, params};

use crate::{StoredEvent, outbox};

store::statements! {
    /// A new reader begins at the end: what happened before it existed is not its business.
    BEGIN = "insert into event_cursors (reader, event_position) \
             select $1, event_position from event_head where event_head_id = 1 \
             on conflict (reader) do nothing";
    /// Takes the reader's place until the end of the transaction.
    TAKE = "update event_cursors set event_position = event_position where reader = $1 returning event_position";
    /// Moves it on.
    MOVE = "update event_cursors set event_position = $2 where reader = $1";
    /// Where it is.
    POSITION = "select event_position from event_cursors where reader = $1";
}

/// Gives the next events, `count` at most, to `work` and moves the place of `reader` in the same transaction: what
/// `work` writes is written exactly once for each event, whatever dies when and however many processes read under this
/// name. How many there were.
///
/// A new reader begins with what gets its position from then on.
pub async fn consume<F>(
    store: &Store,
    reader: &'static str,
    count: u32,
    mut work: F,
) -> Result<usize, store::Error>
where
    F: FnMut(&mut Tx<'_>, &[StoredEvent]) -> Result<(), store::Error> + Send + 'static,
{
    // Asked without a lock first: most of the time there is nothing.
    let is_news = store
        .read(move |tx| match place(tx, reader)? {
            Some(position) => Ok(outbox::last_position(tx)? > position),
            None => Ok::<_, store::Error>(true),
        })
        .await?;
    if !is_news {
        return Ok(0);
    }
    store
        .locked(move |tx| {
            tx.execute(BEGIN, params![reader])?;
            let position: i64 = tx.query_one(TAKE, params![reader])?.get(0)?;
            let events = outbox::after(tx, position, count)?;
            if let Some(last) = events.last() {
                work(tx, &events)?;
                tx.execute(MOVE, params![reader, last.position])?;
            }
            Ok(events.len())
        })
        .await
}

/// The last position that a reader has worked on; `None` before it is first asked to.
pub async fn position_of(store: &Store, reader: &'static str) -> Result<Option<i64>, store::Error> {
    store.read(move |tx| place(tx, reader)).await
}

fn place(tx: &mut Tx<'_>, reader: &'static str) -> Result<Option<i64>, store::Error> {
    tx.query_opt(POSITION, params![reader])?.map(|row| row.get(0)).transpose()
}
