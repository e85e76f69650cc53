"""Does a failure come and go on the same commit? (pure)"""
