//! Metrics with their protocol as a type: rating error, ranking, profiling, intervals and paired tests
