"""What one API process shares: context, requests, who waits for what, rates."""
