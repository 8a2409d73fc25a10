"""A form's field for several files at once."""

from django import forms


class ManyFilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several, as a list; what a field of one refuses of each is refused."""

    widget = ManyFilesInput

    def clean(self, data, initial=None):
        """Return the files."""
        files = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in files or [None]]
