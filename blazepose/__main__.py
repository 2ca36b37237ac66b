"""`python -m blazepose`: the same as the console command."""

from blazepose.commands.main import main

if __name__ == "__main__":
    main()
