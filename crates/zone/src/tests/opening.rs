//! Who may open the world.

use super::*;
use crate::journal;
use crate::{Keeping, LeaseError, OpenError, open};

fn keeping(folder: &std::path::Path) -> Keeping {
    Keeping { folder: folder.to_owned(), past: Duration::from_mins(1) }
}

#[test]
fn a_second_process_is_refused_whether_it_has_the_same_folder_or_its_own() {
    for_each_engine(MIGRATIONS, |store| async move {
        let [ours, theirs] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let try_open = |folder: &tempfile::TempDir| {
            let deps = deps(store.clone(), Arc::new(SystemClock::default()));
            open(ZoneConfig::default(), deps, keeping(folder.path()))
        };
        let zone = try_open(&ours).await.expect("nobody else is there");
        let same = try_open(&ours).await.err();
        assert!(matches!(same, Some(OpenError::Journal(journal::Error::InUse { .. }))), "{same:?}");
        let other = try_open(&theirs).await.err();
        assert!(matches!(other, Some(OpenError::Lease(LeaseError::Held { .. }))), "{other:?}");
        // The first notices nothing of it, and lets go of the world when it ends.
        let mut ann = zone.connect(request(ANN)).await.unwrap();
        assert!(ann.next().await.is_some());
        zone.shutdown().await;
        let next = try_open(&theirs).await.expect("the lease was let go");
        next.shutdown().await;
    });
}
