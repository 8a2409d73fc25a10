"""How an upload's body is read: as multipart, with every flaw in it the client's to hear of."""

from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser


class UploadParser(MultiPartParser):
    """Multipart whose malformed headers are a 400; the file goes to the site's upload handler."""

    def parse(self, stream, media_type=None, parser_context=None):
        """Return the fields and the files."""
        try:
            return super().parse(stream, media_type, parser_context)
        except (LookupError, ValueError) as error:
            raise ParseError("The multipart body could not be read.") from error
