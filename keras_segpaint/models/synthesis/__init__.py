"""Networks that make images from label maps and styles, and their critics and encoders, one file per paper."""

__all__: list[str] = []
