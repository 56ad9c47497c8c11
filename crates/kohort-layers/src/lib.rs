//! Layers for cohort-aware multi-task recommenders: embeddings, MLPs, feature encoders, attention
