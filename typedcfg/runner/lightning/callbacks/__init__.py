"""Callbacks for any `Trainer(callbacks=[...])`: what a run records, keeps and prints."""
