"""CI platforms and code hosts: one file each."""
