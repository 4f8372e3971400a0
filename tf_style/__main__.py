"""`python -m tf_style` is the command `tf_style`."""

from tf_style.cli import main

if __name__ == "__main__":
    main()
