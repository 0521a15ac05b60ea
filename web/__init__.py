"""What people see: the pages that Streamer serves."""
