import { severalDevicesTests } from '../../support/several-devices.js';

severalDevicesTests(true);
