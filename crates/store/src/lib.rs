//! SQL written once for SQLite and PostgreSQL: transactions with retry, migrations
