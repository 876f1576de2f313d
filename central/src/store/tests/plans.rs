//! How SQLite finds rows. It keeps no statistics here and takes any index for as narrow as another: the plan of what is
//! asked often is held down by a test.

use rusqlite::Connection;

use crate::db::{Db, Engine};
use crate::store::{statement, timeline, world};

#[tokio::test]
async fn what_one_member_has_is_not_looked_for_among_everybodys() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("central.db");
    Db::open(&path.display().to_string()).await.expect("a database").close().await;
    let connection = Connection::open(&path).expect("the file");
    let asked = [
        (&statement::SQL, "lines", "posting_member"),
        (&statement::SQL, "before", "posting_member"),
        (&world::SQL, "lots", "posting_member"),
        (&world::SQL, "lots", "posting_merged_from"),
        (&world::SQL, "lots", "posting_merged_into"),
        (&timeline::SQL, "merged_here", "member_merged"),
    ];
    for (file, name, index) in asked {
        let text = file.get(name).text(Engine::Sqlite);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).expect("a query");
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().expect("a plan") {
            steps.push(row.get::<_, String>(3).expect("a step"));
        }
        let uses = |step: &String| step.split(' ').any(|word| word == index);
        assert!(steps.iter().any(uses), "{name} does not use {index}: {steps:#?}");
        assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{name} reads a whole table: {steps:#?}");
    }
}
