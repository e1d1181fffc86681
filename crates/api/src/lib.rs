//! What every HTTP route shares: problem documents, callers, idempotency, paging
