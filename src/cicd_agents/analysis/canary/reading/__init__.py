"""What people write: tables of numbers, policies, and the gates of other tools, read into values (pure; the files are read by clients.guardian_files)."""
