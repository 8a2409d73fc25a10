"""What strangers may try: numbered cases, each with the answer that the site has to give."""
