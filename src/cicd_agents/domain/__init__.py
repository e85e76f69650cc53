"""The frozen vocabulary that every other room shares."""
