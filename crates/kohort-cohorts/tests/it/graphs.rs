//! Graphs: what edge lists, files and interactions become.

use kohort_cohorts::graph::read::{Attribute, EdgeList, Gml};
use kohort_cohorts::graph::{
    Bipartite, EdgeRules, Graph, GraphError, Keep, Loops, Projection, Repeats, Similarity,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::{goldens, numbers};

fn edges() -> impl Strategy<Value = (usize, Vec<(u32, u32, f64)>)> {
    (1usize..30).prop_flat_map(|nodes| {
        let node = 0..nodes as u32;
        let edge = (node.clone(), node, 0u8..20).prop_map(|(u, v, w)| (u, v, f64::from(w) / 4.0));
        (Just(nodes), prop::collection::vec(edge, 0..120))
    })
}

proptest! {
    #[test]
    fn rows_are_sorted_symmetric_and_hold_every_edge((nodes, edges) in edges()) {
        let graph = Graph::from_edges(nodes, edges.iter().copied()).unwrap();
        let mut dense = vec![vec![0.0; nodes]; nodes];
        for &(u, v, w) in &edges {
            dense[u as usize][v as usize] += w;
            dense[v as usize][u as usize] += w;
        }
        for u in 0..nodes as u32 {
            let row: Vec<(u32, f64)> = graph.neighbours(u).collect();
            prop_assert!(row.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert!(row.iter().all(|&(v, w)| v != u && w > 0.0));
            prop_assert_eq!(row.len(), graph.degree(u));
            for v in (0..nodes as u32).filter(|&v| v != u) {
                prop_assert_eq!(graph.weight(u, v), dense[u as usize][v as usize]);
            }
            prop_assert_eq!(2.0 * graph.loop_weight(u), dense[u as usize][u as usize]);
            prop_assert_eq!(graph.strength(u), dense[u as usize].iter().sum::<f64>());
        }
        prop_assert_eq!(graph.total(), edges.iter().map(|e| e.2).sum::<f64>());
        prop_assert_eq!(graph.iter_edges().count(), graph.edges());
        let again = Graph::from_edges(nodes, graph.iter_edges()).unwrap();
        prop_assert!(again.iter_edges().eq(graph.iter_edges()));
    }

    #[test]
    fn the_largest_weight_does_not_depend_on_the_order_of_the_list((nodes, edges) in edges()) {
        let rules = EdgeRules { repeats: Repeats::Max, loops: Loops::Drop };
        let forward = rules.build(nodes, edges.iter().copied()).unwrap();
        let backward = rules.build(nodes, edges.iter().rev().map(|&(u, v, w)| (v, u, w))).unwrap();
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn any_text_is_a_graph_or_an_error_with_its_line(text in "[a-z0-9 \\[\\]\"\n#&;.,-]{0,200}") {
        let path = "x".as_ref();
        for read in [
            Gml::default().parse(path, &text).map(|read| read.graph),
            Gml::default().parse(path, &format!("graph [ {text}")).map(|read| read.graph),
            EdgeList { weighted: true, ..EdgeList::default() }.parse(path, &text).map(|read| read.graph),
        ] {
            if let Err(error) = read {
                prop_assert!(error.to_string().starts_with("x:"), "{}", error);
            }
        }
    }
}

#[test]
fn bad_edges_are_refused_by_name() {
    let refused = |edge| Graph::from_edges(3, [(0, 1, 1.0), edge]).unwrap_err().to_string();
    assert_eq!(refused((1, 3, 1.0)), "edge 1: node 3 is not allowed, the nodes are the numbers below 3");
    for (weight, shown) in
        [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1e16, "10000000000000000")]
    {
        let expected = format!(
            "edge 1: weight {shown} is not allowed, it must be 0 (no edge) or between 1e-15 and 1e15"
        );
        assert_eq!(refused((1, 2, weight)), expected);
    }
    let sum = Graph::from_edges(2, [(0, 1, 9e14), (1, 0, 9e14)]).unwrap_err();
    assert!(matches!(sum, GraphError::Setting { allowed: "at most 1e15", .. }), "{sum}");
    assert_eq!(Graph::from_edges(0, []).unwrap().nodes(), 0);
    assert!(matches!(Graph::simple(1 << 33, []), Err(GraphError::TooManyNodes { .. })));
}

#[test]
fn edge_lists_say_where_they_are_wrong() {
    let list = EdgeList { weighted: true, ..EdgeList::default() };
    let wrong = |text: &str| list.parse("a.txt".as_ref(), text).unwrap_err().to_string();
    assert_eq!(
        wrong("# a comment\n\n1 2 x\n"),
        r#"a.txt:3: weight: found "x", expected 0 (no edge) or a number from 1e-15 to 1e15"#
    );
    assert_eq!(
        wrong("1 2 1\r\n1 2\r\n"),
        r#"a.txt:2: edge: found "1 2", expected 3 columns: two nodes and a weight"#
    );
    assert_eq!(
        wrong("1 2 nan"),
        r#"a.txt:1: weight: found "nan", expected 0 (no edge) or a number from 1e-15 to 1e15"#
    );
    let pairs = EdgeList { delimiter: Some('\t'), header: true, ..EdgeList::default() };
    let read = pairs.parse("a.tsv".as_ref(), "from\tto\nann lee\tbob\n% no edge\nbob\tann lee\n").unwrap();
    assert_eq!(read.names, ["ann lee", "bob"]);
    assert_eq!(read.graph.weight(0, 1), 2.0);
    let missing = pairs.parse("a.tsv".as_ref(), "from\tto\nann\t\n").unwrap_err();
    assert_eq!(missing.to_string(), r#"a.tsv:2: edge: found "ann", expected 2 columns: two nodes"#);
}

#[test]
fn files_are_checked_before_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("edges.txt");
    std::fs::write(&path, "1 2\n3 \u{fc}\n").unwrap();
    assert_eq!(EdgeList::default().read(&path).unwrap().names, ["1", "2", "3", "\u{fc}"]);
    let small = EdgeList { limit: 5, ..EdgeList::default() }.read(&path).unwrap_err();
    assert!(matches!(small, GraphError::TooLarge { bytes: 9, limit: 5, .. }), "{small}");
    std::fs::write(&path, b"1 2\n3 \xfc\n").unwrap();
    let latin = EdgeList::default().read(&path).unwrap_err().to_string();
    assert!(latin.ends_with(r#"edges.txt:2: text: found "byte 0xfc", expected UTF-8"#), "{latin}");
    assert!(matches!(EdgeList::default().read(dir.path().join("none")), Err(GraphError::Io { .. })));
}

#[test]
fn gml_is_read_as_it_is_found_in_the_wild() {
    let text = "Creator \"a & b\"\nVersion 1\ngraph\n[\n  directed 1\n  # a comment ]\n  edge [ source 5 target -2 weight 2 ]\n  \
                node [ id 5 Label \"Jos&#233; &amp; co &c\" graphics [ x 1.5 w [ y 2 ] ] size 3.5e0 ]\n  node [ id -2 kind 4 ]\n]";
    let read =
        Gml { weight: Some("weight".to_owned()), ..Gml::default() }.parse("x.gml".as_ref(), text).unwrap();
    assert_eq!((read.directed, read.ids.as_slice()), (true, &[5, -2][..]));
    assert_eq!(read.graph.weight(0, 1), 2.0);
    assert_eq!(read.attributes[0]["label"], Attribute::Text("Jos\u{e9} & co &c".to_owned()));
    assert_eq!(read.attributes[0]["size"], Attribute::Real(3.5));
    assert_eq!(read.attributes[1]["kind"], Attribute::Integer(4));
    assert!(!read.attributes[0].contains_key("x"));
}

#[test]
fn gml_says_where_it_is_wrong() {
    let wrong = |text: &str| Gml::default().parse("x.gml".as_ref(), text).unwrap_err().to_string();
    let found = |text: &str, expected: &str| assert_eq!(wrong(text), format!("x.gml:{expected}"));
    found("", r#"1: file: found "its end", expected a list named graph"#);
    found("graph [\nnode [ id 1 ]\n", r#"3: list: found "the end of the file", expected a closing bracket"#);
    found(
        "graph [\nnode [ id 1 ]\nnode [ id 1 ]\n]",
        r#"3: id: found "1", expected an id that no other node has"#,
    );
    found("graph [\nnode [ label \"a\" ]\n]", r#"2: id: found "nothing", expected a whole number"#);
    found("graph [\nnode [\nid 1.5 ]\n]", r#"3: id: found "1.5", expected a whole number"#);
    found("graph [\nnode 7\n]", r#"2: node: found "7", expected a list in brackets"#);
    found("graph [\n7 node\n]", r#"2: key: found "7 node", expected a name that starts with a letter"#);
    found(
        "graph [ node [ id 1 x\nNaN ] ]",
        r#"2: x: found "NaN", expected a finite number, a text in quotes or a list in brackets"#,
    );
    found("graph [\nname \"never\nends", r#"2: name: found "a text", expected a closing quote"#);
    let deep = format!("a [{}", "a [".repeat(100_000));
    assert!(wrong(&deep).contains("at most 64 lists inside each other"));
}

#[test]
fn similarities_equal_those_of_dense_matrices() {
    let golden = &goldens()["projection"];
    let taken = taken(golden);
    let users = taken.users();
    for (name, similarity) in [
        ("cosine", Similarity::Cosine),
        ("jaccard", Similarity::Jaccard),
        ("log-likelihood", Similarity::LogLikelihood),
    ] {
        let all =
            Projection { similarity, neighbours: users, ..Projection::default() }.graph(&taken).unwrap();
        let table: Vec<Vec<f64>> =
            golden["similarity"][name].as_array().unwrap().iter().map(numbers).collect();
        for u in 0..users as u32 {
            for v in (0..users as u32).filter(|&v| v != u) {
                let (ours, theirs) = (all.weight(u, v), table[u as usize][v as usize]);
                assert!(
                    (ours - theirs).abs() < 1e-12 * theirs.max(1.0),
                    "{name} {u} {v}: {ours} for {theirs}"
                );
                assert_eq!(ours.to_bits(), all.weight(v, u).to_bits());
            }
        }
        for (keep, few) in [(Keep::Either, 3), (Keep::Both, 6)] {
            let graph = Projection { similarity, neighbours: few, keep, ..Projection::default() }
                .graph(&taken)
                .unwrap();
            let nearest = |u: usize| -> Vec<usize> {
                let mut others: Vec<usize> = (0..users).filter(|&v| v != u && table[u][v] > 1e-12).collect();
                // Rounded, because the peer's rounding breaks ties that ours keeps.
                let key = |v: usize| -((table[u][v] * 1e12).round() as i64);
                others.sort_by_key(|&v| (key(v), v));
                others.truncate(few);
                others
            };
            let lists: Vec<Vec<usize>> = (0..users).map(nearest).collect();
            for u in 0..users {
                for v in (0..users).filter(|&v| v != u) {
                    let expected = match keep {
                        Keep::Either => lists[u].contains(&v) || lists[v].contains(&u),
                        Keep::Both => lists[u].contains(&v) && lists[v].contains(&u),
                    };
                    assert_eq!(graph.weight(u as u32, v as u32) > 0.0, expected, "{name} {keep:?} {u} {v}");
                }
            }
        }
    }
}

#[test]
fn few_common_items_and_popular_items_can_be_left_out() {
    let taken = taken(&goldens()["projection"]);
    let graph = |least_common, most_popular| {
        let projection = Projection {
            neighbours: 40,
            least_common,
            most_popular,
            similarity: Similarity::Jaccard,
            ..Projection::default()
        };
        projection.graph(&taken).unwrap()
    };
    let shared = |u: u32, v: u32, limit: usize| {
        let both = |item: &&u32| taken.items_of(v).contains(item) && taken.users_of(**item).len() <= limit;
        taken.items_of(u).iter().filter(both).count()
    };
    for (least, limit) in [(1, usize::MAX), (3, usize::MAX), (1, 9), (2, 9)] {
        let graph = graph(least, limit);
        for u in 0..40 {
            for v in (0..40).filter(|&v| v != u) {
                assert_eq!(graph.weight(u, v) > 0.0, shared(u, v, limit) >= least);
            }
        }
    }
}

#[test]
fn bad_interactions_and_settings_are_refused_by_name() {
    let new = |user: &[u32], item: &[u32], weight| {
        Bipartite::new(2, 2, user, item, weight).unwrap_err().to_string()
    };
    assert_eq!(new(&[0, 1], &[0, 2], None), "interaction 1: item 2 is not allowed, there are 2");
    assert_eq!(new(&[0, 2], &[0, 1], None), "interaction 1: user 2 is not allowed, there are 2");
    assert!(new(&[0], &[0, 1], None).starts_with("1 users, 2 items"));
    assert!(new(&[0], &[0], Some(&[-1.0])).starts_with("edge 0: weight -1 is not allowed"));
    let nobody = Bipartite::new(0, 0, &[], &[], None).unwrap();
    assert_eq!(Projection::default().graph(&nobody).unwrap().nodes(), 0);
    let none = Projection { neighbours: 0, ..Projection::default() }.graph(&nobody).unwrap_err();
    assert_eq!(none.to_string(), "neighbours = 0: allowed is 1 or more");
}

fn taken(golden: &Value) -> Bipartite {
    let whole = |key: &str| -> Vec<u32> { numbers(&golden[key]).into_iter().map(|x| x as u32).collect() };
    let count = |key: &str| golden[key].as_u64().unwrap() as usize;
    let weight = numbers(&golden["weight"]);
    Bipartite::new(count("users"), count("items"), &whole("user"), &whole("item"), Some(&weight)).unwrap()
}
