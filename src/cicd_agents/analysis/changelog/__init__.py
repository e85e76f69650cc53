"""The changelog of releases: sections, the file that holds them, release notes and an announcement. Pure; all text from commits is escaped."""
