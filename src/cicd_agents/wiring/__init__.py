"""Builds what a run in CI needs: clients, agent, destinations. With `cli`, the only place that knows them all."""
