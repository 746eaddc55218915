//! A database that an older build filled: what would be counted from zero is not served.

use crate::harness::{Home, Server};
use crate::limits::POLICY_OF_THREE;
use runplane_server::copy::copy;
use runplane_server::{Options, Place, Seeds, start_with};
use runplane_store::Store;
use runplane_store::postgres::testing::Database;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;

/// What is refused to start on the database of the node.
async fn refusal(node: &Server) -> String {
    let place = Place { data: node.data(), database: Some(node.database().unwrap().address()) };
    let options = Options::new(place.clone(), SocketAddr::from(([127, 0, 0, 1], 0)));
    let store: Arc<dyn Store> = place.open().unwrap();
    start_with(options, store, node.clock.clone(), &place.seeds().unwrap()).await.err().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_whose_limits_were_kept_under_other_keys_is_refused() {
    let mut node = Server::at(Home::shared(), vec![("test".into(), POLICY_OF_THREE.into())]).await;
    assert_eq!(node.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    // As builds of before had it.
    node.tampered = true;
    node.database().unwrap().unpack_entries();
    node.database().unwrap().execute(
        "UPDATE runplane.entries SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), '\"keyForm\":3,', ''), 'UTF8')
         WHERE entry_index = 0",
    );
    let refused = refusal(&node).await;
    assert!(refused.contains("other keys (form 0, this one has 3)") && refused.contains("audit export"), "{refused}");
    let workspace = node.app.workspace("default").unwrap();
    let audited = runplane_server::check_state(&*node.app.store, &workspace.id).err().unwrap().to_string();
    assert!(audited.contains("other keys"), "{audited}");
    let (target, seeds) = (Database::create(), Seeds { ledger: [1; 32], permit: [2; 32] });
    let copied = copy(&*node.app.store, &target.open(), &seeds, |_| ()).err().unwrap().to_string();
    assert!(copied.contains("other keys"), "{copied}");
}
