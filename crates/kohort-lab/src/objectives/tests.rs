use super::*;

#[test]
fn the_strategies_are_read_and_each_has_a_name_of_its_own() {
    let settings = Settings::read().unwrap();
    let body = kohort_models::multitask::Body::default();
    let systems = settings.systems(&body);
    let mut names: Vec<&str> = systems.iter().map(|system| system.name.as_str()).collect();
    assert_eq!(names.len(), 15);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 15);
}
