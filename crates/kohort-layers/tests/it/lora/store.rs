//! The store: whole or not at all, the base kept, files refused that don't belong.

use std::fs;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use kohort_layers::lora::store::{Adapter, AdapterStore, Snapshot, StoreError};

use super::*;

const ROWS: usize = 12;

/// A store over the stack of [`stack`], with the adapters of cohorts 1 and 2 as `one` and `two`.
fn store<F: Real>() -> (AdapterStore<F>, Params<F>, LoraMlp<CohortLora>) {
    let (params, lora) = stack::<F>([1, 2]);
    let store = AdapterStore::new(params.clone(), lora.base());
    store.add("one", lora.adapter(&params, 1).unwrap()).unwrap();
    store.add("two", lora.adapter(&params, 2).unwrap()).unwrap();
    (store, params, lora)
}

fn score<F: Real>(snapshot: &Snapshot<F>, runs: &[(Option<&str>, usize)]) -> Result<Vec<F>, StoreError> {
    let mut tape = Tape::new();
    let rows = runs.iter().map(|run| run.1).sum();
    let x = tape.input(rows, 5, &numbers::<F>(rows * 5, 3));
    let y = snapshot.forward(&mut tape, x, runs)?;
    Ok(tape.value(y).to_vec())
}

fn apart<F: Real>(x: &[F], y: &[F]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x.f64() - y.f64()).abs()).fold(0.0, f64::max)
}

fn message<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_store_scores_what_was_trained_and_a_disabled_or_absent_adapter_is_the_base() {
    let (store, params, lora) = store::<f32>();
    let x = numbers::<f32>(ROWS * 5, 3);
    let cohorts: Vec<u32> = (0..ROWS as u32).map(|row| [1, 2, 9][row as usize / 4]).collect();
    let trained = scores(&params, &lora, &x, &cohorts);
    let runs = [(Some("one"), 4), (Some("two"), 4), (None, 4)];
    assert_eq!(score(&store.snapshot(), &runs).unwrap(), trained);
    let base = score(&store.snapshot(), &[(None, ROWS)]).unwrap();
    store.enable("two", false).unwrap();
    let after = score(&store.snapshot(), &runs).unwrap();
    assert_eq!(after[..12], trained[..12]);
    assert!(apart(&after[12..24], &base[12..24]) < 1e-6);
    assert_eq!(store.list().iter().map(|own| own.enabled).collect::<Vec<_>>(), [true, false]);
    store.enable("two", true).unwrap();
    assert_eq!(score(&store.snapshot(), &runs).unwrap(), trained);
}

#[test]
fn removing_an_adapter_changes_no_other_scores_by_a_bit() {
    let (store, ..) = store::<f32>();
    let before = score(&store.snapshot(), &[(Some("two"), ROWS)]).unwrap();
    let kept = store.snapshot();
    store.remove("one").unwrap();
    assert_eq!(score(&store.snapshot(), &[(Some("two"), ROWS)]).unwrap(), before);
    let missing = message(score(&store.snapshot(), &[(Some("one"), 1)]));
    assert_eq!(missing, "there is no adapter one; there are: two");
    assert!(score(&kept, &[(Some("one"), 1)]).is_ok(), "a snapshot stays as it was");
}

fn merges<F: Real>(most: f64) {
    let (store, params, _) = store::<F>();
    let (one, base) =
        (score(&store.snapshot(), &[(Some("one"), ROWS)]), score(&store.snapshot(), &[(None, ROWS)]));
    store.merge("one").unwrap();
    let merged = store.snapshot();
    assert_ne!(
        merged.params().value(params.id("tower/0/w").unwrap()),
        params.value(params.id("tower/0/w").unwrap())
    );
    assert!(apart(&score(&merged, &[(Some("one"), ROWS)]).unwrap(), &one.unwrap()) < most);
    store.unmerge().unwrap();
    let back = store.snapshot();
    for id in params.ids() {
        assert_eq!(back.params().value(id), params.value(id), "{}", params.slot(id).name);
    }
    assert_eq!(score(&back, &[(None, ROWS)]).unwrap(), base.unwrap());
}

#[test]
fn merged_scores_are_the_adapters_and_unmerging_gives_the_base_back_to_the_bit() {
    merges::<f32>(1e-6);
    merges::<f64>(1e-14);
}

#[test]
fn what_would_corrupt_a_merged_base_is_refused_and_changes_nothing() {
    let (store, params, lora) = store::<f64>();
    store.merge("one").unwrap();
    let version = store.snapshot().version();
    let tail = ": adapter one is merged into the base; unmerge it first";
    let other = lora.adapter(&params, 2).unwrap();
    for (what, found) in [
        ("merge one", message(store.merge("one"))),
        ("merge two", message(store.merge("two"))),
        ("remove one", message(store.remove("one"))),
        ("swap one", message(store.swap("one", other.clone()))),
        ("disable one", message(store.enable("one", false))),
        ("scoring with two", message(score(&store.snapshot(), &[(Some("one"), 1), (Some("two"), 1)]))),
        ("scoring with the base", message(score(&store.snapshot(), &[(None, 1)]))),
    ] {
        assert_eq!(found, format!("{what}{tail}"));
    }
    assert_eq!(store.snapshot().version(), version);
    store.swap("two", other).unwrap();
    store.unmerge().unwrap();
    assert_eq!(message(store.unmerge()), "unmerge: no adapter is merged into the base");
    store.enable("one", false).unwrap();
    assert_eq!(message(store.merge("one")), "merge: adapter one is disabled; enable it first");
}

#[test]
fn adapters_that_do_not_fit_are_refused_by_what_does_not() {
    let (store, params, lora) = store::<f64>();
    let good = lora.adapter(&params, 1).unwrap();
    assert_eq!(
        message(store.add("one", good.clone())),
        "adapter one is there already: swap it, or remove it first"
    );
    for name in ["", ".hidden", "../up", "a b", "a/b"] {
        assert!(message(store.add(name, good.clone())).contains("a name has 1 to 100 letters"), "{name:?}");
    }
    let mut other = good.clone();
    other.layers[1].0 = "head/0".into();
    assert_eq!(
        message(store.add("x", other)),
        "adapter x: layer head/0 is not one of tower/0, tower/1, in this order"
    );
    let mut other = good.clone();
    other.layers[0].1.b[3] = f64::NAN;
    assert_eq!(message(store.add("x", other)), "adapter x: layer tower/0 holds NaN, not a finite number");
    let mut other = good.clone();
    other.alpha = 7.0;
    assert_eq!(
        message(store.add("x", other)),
        "adapter x: layer tower/0 has scale 1.5, rank and alpha give 3.5"
    );
    let rank_3 = {
        store.combine("sum", &[("one", 1.0), ("two", 1.0)], Some(3)).unwrap();
        store.remove("sum").unwrap()
    };
    assert_eq!(
        message(store.swap("one", rank_3)),
        "adapter one: swap: rank 3 for rank 2; remove it and add the other"
    );
    let rank_4 = message(store.combine("sum", &[("one", 1.0), ("two", 1.0)], None));
    assert_eq!(rank_4, "adapter sum: layer tower/1 has rank 4, expected 4, from 1 to 3");
    let one_layer = Adapter { layers: good.layers[..1].to_vec(), ..good };
    assert_eq!(
        message(store.swap("one", one_layer.clone())),
        "adapter one: swap: other layers; remove it and add the other"
    );
    store.add("first", one_layer).unwrap();
}

#[test]
fn a_weighted_combination_changes_what_its_parts_change_by_weight() {
    let (store, ..) = store::<f64>();
    store.combine("mean", &[("one", 0.75), ("two", 0.25)], Some(3)).unwrap();
    let [one, two, mean] = ["one", "two", "mean"].map(|name| store.get(name).unwrap());
    // The second layer is [7, 3]: rank 3 holds all of it. The first, [5, 7], is the nearest of rank 3 to one of rank 4.
    for (layer, most) in [(1, 1e-9), (0, 0.2)] {
        let dense = |adapter: &Adapter| adapter.layers[layer].1.dense();
        let want: Vec<f64> = dense(&one).iter().zip(dense(&two)).map(|(x, y)| 0.75 * x + 0.25 * y).collect();
        let size = want.iter().map(|x| x * x).sum::<f64>().sqrt();
        let off = want.iter().zip(dense(&mean)).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt();
        assert!(off < most * size, "layer {layer}: {off} of {size}");
    }
}

#[test]
fn files_bring_an_adapter_back_to_the_bit_and_on_no_other_base() {
    let dir = tempfile::tempdir().unwrap();
    let (store, params, lora) = store::<f32>();
    store.save("one", dir.path()).unwrap();
    let own = AdapterStore::new(params.clone(), lora.base());
    own.load("one", dir.path()).unwrap();
    assert_eq!(own.get("one").unwrap(), store.get("one").unwrap());
    assert_eq!(own.list()[0].scale, 1.5);
    let mut files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["one.json", "one.safetensors"], "no temporary file is left");

    // Other adapters beside the base are not part of it; one bit of a bias is.
    let mut other = params.clone();
    shake(&mut other, "adapter/2");
    AdapterStore::new(other.clone(), lora.base()).load("one", dir.path()).unwrap();
    other.slot_mut(params.id("tower/1/b").unwrap()).value[0] += 1e-6;
    let error = AdapterStore::new(other, lora.base()).load("one", dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Base { .. }));
    assert!(error.to_string().contains("one.json: made for the base "), "{error}");
}

#[test]
fn damaged_torn_or_oversized_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (store, params, lora) = store::<f32>();
    let load = || AdapterStore::<f32>::new(params.clone(), lora.base()).load("one", dir.path());
    let (json, tensors) = (dir.path().join("one.json"), dir.path().join("one.safetensors"));
    assert!(matches!(load(), Err(StoreError::Io { .. })));
    store.save("one", dir.path()).unwrap();
    load().unwrap();
    let card = fs::read_to_string(&json).unwrap();
    for (old, new, part) in [
        ("\"version\": 1", "\"version\": 9", "adapter format 9, this build reads 1"),
        ("\"rank\": 2", "\"rank\": 0", "rank 0 on 2 layers, expected a rank of 1 to 5 on at most 2"),
        ("\"rank\": 2", "\"rank\": 9000000000", "rank 9000000000 on 2 layers"),
        ("\"rank\": 2", "\"rank\": 3", "tower/0/a has shape [5, 2], expected [5, 3]"),
        ("\"inputs\": 5", "\"inputs\": 4", "layer tower/0 [4, 7] is none of the base's"),
        ("\"alpha\": 3.0", "\"alpha\": -3.0", "its scale is -1.5, expected a finite number above 0"),
        ("\"alpha\"", "\"omega\"", "unknown field `omega`"),
    ] {
        assert!(card.contains(old), "{old}");
        fs::write(&json, card.replace(old, new)).unwrap();
        let found = message(load());
        assert!(found.contains(part), "{found}");
    }
    fs::write(&json, &card).unwrap();
    // The tensors of another save: whole, of the same shapes, and not those the JSON speaks of.
    let other = tempfile::tempdir().unwrap();
    store.swap("one", lora.adapter(&params, 2).unwrap()).unwrap();
    store.save("one", other.path()).unwrap();
    fs::copy(other.path().join("one.safetensors"), &tensors).unwrap();
    assert!(message(load()).contains("the JSON file beside it states"));
    fs::File::create(&json).unwrap().set_len(1 << 40).unwrap();
    assert!(message(load()).contains("1099511627776 bytes, allowed are 1048576"));
}

/// Readers score while a writer swaps between two adapters: every score is one's or the other's, in both layers.
#[test]
fn threads_that_score_during_swaps_see_whole_adapters_only() {
    let (store, params, lora) = store::<f32>();
    let versions = [1, 2].map(|cohort| lora.adapter(&params, cohort).unwrap());
    let want = ["one", "two"].map(|name| score(&store.snapshot(), &[(Some(name), ROWS)]).unwrap());
    assert_ne!(want[0], want[1]);
    let (done, seen) = (AtomicBool::new(false), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    std::thread::scope(|threads| {
        let read = || {
            while !done.load(Relaxed) {
                let scores = score(&store.snapshot(), &[(Some("one"), ROWS)]).unwrap();
                let which = want.iter().position(|want| *want == scores).expect("a whole adapter");
                seen[which].fetch_add(1, Relaxed);
            }
        };
        let readers = [threads.spawn(read), threads.spawn(read)];
        // On until both were scored often, however threads are scheduled; a reader that failed ends it too.
        let often = || seen.iter().all(|seen| seen.load(Relaxed) > 20);
        let mut swaps = 0;
        while !(swaps > 400 && often() || readers.iter().any(|reader| reader.is_finished())) {
            store.swap("one", versions[(swaps + 1) % 2].clone()).unwrap();
            std::thread::yield_now();
            swaps += 1;
        }
        done.store(true, Relaxed);
        for reader in readers {
            reader.join().expect("a reader");
        }
    });
}
