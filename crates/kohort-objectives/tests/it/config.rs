//! Balancers from configs.

use kohort_objectives::{BalancerConfig, CagradConfig, GradNormConfig, Rescale, Schedule};
use serde::Deserialize;

use crate::every;

#[derive(Deserialize)]
struct System {
    balancer: BalancerConfig,
}

fn read(text: &str) -> Result<BalancerConfig, toml::de::Error> {
    toml::from_str::<System>(text).map(|system| system.balancer)
}

#[test]
fn every_config_comes_back_from_json_as_it_was() {
    for config in every(3) {
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<BalancerConfig>(&text).unwrap(), config, "{text}");
    }
}

#[test]
fn methods_are_chosen_by_their_names_in_toml() {
    assert_eq!(read("balancer = 'equal'").unwrap(), BalancerConfig::Equal);
    assert_eq!(read("balancer = 'nash-mtl'").unwrap(), BalancerConfig::NashMtl);
    assert_eq!(
        read("[balancer.cagrad]\nc = 0.4\nrescale = 'linear'").unwrap(),
        BalancerConfig::Cagrad(CagradConfig { c: 0.4, rescale: Rescale::Linear })
    );
    assert_eq!(
        read("[balancer.grad-norm]\nalpha = 0.12").unwrap(),
        BalancerConfig::GradNorm(GradNormConfig { alpha: 0.12, ..GradNormConfig::default() })
    );
    let text = "[balancer.scheduled]
        inner = 'pcgrad'
        schedules = [{ constant = 1.0 }, { geometric = { initial = 0.5, ratio = 0.9, every = 100 } }]";
    let schedules =
        vec![Schedule::Constant(1.0), Schedule::Geometric { initial: 0.5, ratio: 0.9, every: 100 }];
    assert_eq!(
        read(text).unwrap(),
        BalancerConfig::Scheduled { inner: Box::new(BalancerConfig::Pcgrad), schedules }
    );
}

#[test]
fn unknown_methods_and_settings_are_named() {
    assert!(read("balancer = 'magic'").unwrap_err().to_string().contains("magic"));
    let error = read("[balancer.cagrad]\nalpha = 0.4").unwrap_err().to_string();
    assert!(error.contains("alpha") && error.contains("rescale"), "{error}");
}

#[test]
fn settings_out_of_range_and_lists_of_another_length_are_named() {
    let error = |config: BalancerConfig| config.build(2, 0).err().unwrap().to_string();
    assert_eq!(error(BalancerConfig::Fixed(vec![1.0; 3])), "3 fixed weights, expected 2");
    assert_eq!(
        error(BalancerConfig::Fixed(vec![1.0, f64::NAN])),
        "weight of objective 1 is NaN, expected a finite number of at least 0"
    );
    assert_eq!(
        error(BalancerConfig::GradNorm(GradNormConfig { rate: -1.0, ..GradNormConfig::default() })),
        "grad-norm: rate is -1, expected a finite number above 0"
    );
    // Of whichever method lies inside.
    let inner = Box::new(BalancerConfig::Fixed(vec![-1.0, 1.0]));
    assert_eq!(
        error(BalancerConfig::Scheduled { inner, schedules: vec![Schedule::Constant(1.0); 2] }),
        "weight of objective 0 is -1, expected a finite number of at least 0"
    );
}
